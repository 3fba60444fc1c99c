# shellcheck shell=sh
# Shell functions shared by scripts/run and scripts/test: they make .venv, and keep it in step with the lock.
#
# Sourced with $root set to the project's folder. A stamp inside .venv tells what is installed, so that a
# second start calls no pip. Everything that can go wrong is one sentence on stderr and an exit code.

venv=${root:?}/.venv
stamp=$venv/pirunner.stamp
marker=$venv/pirunner.installing
log=$venv/install.log

fail() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 1
}

say() { printf '%s\n' "$1"; }

# -- Python ------------------------------------------------------------------------------------------------

# The newest Python that pirunner supports, or a sentence about what is missing.
find_python() {
    refusal=''
    for candidate in ${PYTHON:+"$PYTHON"} ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        answer=$("$candidate" "$root/scripts/lib/probe.py" 2>/dev/null) || answer=''
        case $answer in
            ok) python=$candidate && return ;;
            ?*) refusal=${refusal:-"$candidate $answer"} ;;
        esac
    done
    [ -z "$refusal" ] || fail "$refusal"
    fail 'Python 3.11, 3.12 or 3.13 is needed and none was found: install one, or name it in PYTHON.'
}

# -- the lock ----------------------------------------------------------------------------------------------

# Two set-ups at once would ruin the environment. The lock is on the project's folder itself, so there is no
# file to leave behind, and the kernel releases it when its holder ends, however that ends.
take_turn() {
    exec 9<"$root"
    "$python" "$root/scripts/lib/turn.py" 9 || fail 'Waiting for the other set-up of this folder was interrupted.'
}

end_turn() { exec 9<&-; }

# -- what is installed -------------------------------------------------------------------------------------

# One line for each lock file, and one for the Python: "requirements.txt 1234 5678".
checksum() { printf '%s %s\n' "$1" "$(cksum <"$root/$1")"; }

# The postgres extra is wanted by whoever names such a database, in the environment or in .env.
wants_postgres() {
    case ${DATABASE_URL:-} in
        postgres*) return 0 ;;
        ?*) return 1 ;;
    esac
    grep -q '^DATABASE_URL=["'\'']*postgres' "${ENV_FILE:-$root/.env}" 2>/dev/null
}

# The locks that are satisfied once this one is installed: each is made with the smaller one as its constraint.
covered_by() {
    case $1 in
        requirements-test.txt) echo requirements.txt requirements-postgres.txt requirements-test.txt ;;
        requirements-postgres.txt) echo requirements.txt requirements-postgres.txt ;;
        *) echo "$1" ;;
    esac
}

is_installed() {
    [ -f "$stamp" ] && [ ! -e "$marker" ] || return 1
    grep -qxF "$(checksum "$1")" "$stamp" || return 1
    [ -z "${PYTHON:-}" ] || [ "$(version_of "$PYTHON")" = "$(version_of "$venv/bin/python")" ] || return 1
    grep -qxF "python $(version_of "$venv/bin/python")" "$stamp"
}

version_of() { "$1" -c 'import platform; print(platform.python_version())' 2>/dev/null; }

# -- the set-up --------------------------------------------------------------------------------------------

# set_up LOCK : makes sure that .venv holds what the lock file names.
set_up() {
    is_installed "$1" && return
    find_python
    take_turn
    # Somebody else may have done it while this one waited.
    is_installed "$1" || install "$1"
    end_turn
}

install() {
    rm -f "$stamp" 2>/dev/null || fail "Cannot write to $venv: make the folder writable."
    if needs_new_environment; then make_environment; fi
    : 2>/dev/null >"$marker" || fail "Cannot write to $venv: make the folder writable, or free some space."
    install_lock "$1"
    write_stamp "$1" || fail "Cannot write to $venv: make the folder writable, or free some space."
}

write_stamp() {
    {
        printf 'python %s\n' "$(version_of "$venv/bin/python")"
        for lock in $(covered_by "$1"); do checksum "$lock"; done
    } >"$stamp.new" && mv "$stamp.new" "$stamp" && rm -f "$marker"
}

# A marker means that an installation was interrupted: half-installed packages look whole to pip.
needs_new_environment() {
    [ -e "$marker" ] && return
    [ "$(version_of "$venv/bin/python")" = "$(version_of "$python")" ] || return 0
    ! "$venv/bin/python" -m pip --version >/dev/null 2>&1
}

make_environment() {
    started=$(date +%s)
    said=$("$python" -m venv --clear "$venv" 2>&1) || fail "$(explain "$said" "Cannot make $venv: ${said##*
}")"
    say "Made .venv with Python $(version_of "$venv/bin/python") ($(($(date +%s) - started)) s)"
}

# Runs pip in the background, so that there is something to look at while it works.
install_lock() {
    started=$(date +%s)
    total=$(grep -c '^[A-Za-z0-9]' "$root/$1")
    "$venv/bin/python" -m pip install --require-hashes --prefer-binary --no-input --disable-pip-version-check \
        --retries 2 -r "$root/$1" >"$log" 2>&1 9<&- &
    pip=$!
    trap 'kill "$pip" 2>/dev/null; exit 130' INT TERM HUP
    show_progress
    wait "$pip" || fail "$(explain "$(cat "$log")" "The packages could not be installed.") pip's log: $log"
    trap - INT TERM HUP
    say "Installed the packages of $1 ($(($(date +%s) - started)) s)"
}

# On a terminal one line that changes; elsewhere a line every ten seconds.
show_progress() {
    while kill -0 "$pip" 2>/dev/null; do
        sleep 1
        elapsed=$(($(date +%s) - started))
        # grep's exit code says whether it found any, which is no failure here.
        read=$(grep -c '^Collecting' "$log") || :
        line="Installing packages: $read of about $total read, $elapsed s"
        if [ -t 1 ]; then
            printf '\r%s ' "$line"
        elif [ $((elapsed % 10)) -eq 0 ]; then
            say "$line"
        fi
    done
    [ ! -t 1 ] || printf '\r%60s\r' ''
}

# explain OUTPUT OTHERWISE : what an output of pip or venv means, as a sentence that says what to do.
explain() {
    case $1 in
        *'No space left on device'*) say 'The disk is full: free some space and start again.' ;;
        *'Read-only file system'* | *'Permission denied'*) say "Cannot write to $venv: make the folder writable." ;;
        *ensurepip*) say 'This Python cannot make virtual environments: install python3-venv (Debian, Ubuntu).' ;;
        *'DO NOT MATCH THE HASHES'*) say 'A package is not the one that was locked: nothing was installed.' ;;
        *NewConnectionError* | *'name resolution'* | *ProxyError* | *ReadTimeout* | *ConnectTimeout* | *SSLError*)
            say 'The package index cannot be reached: check the network, or name an index in PIP_INDEX_URL.'
            ;;
        *'error: command '*' failed'* | *'Failed building wheel'* | *"command 'cc'"* | *'rustc'*)
            say 'A package has no wheel for this machine and cannot be built: install a compiler and python3-dev.'
            ;;
        *'No matching distribution'*) say 'The package index does not have a package that is needed.' ;;
        *) say "$2" ;;
    esac
}
