"""The documentation is true: what it shows runs, what it links to is there, and its tables are complete.

The conventions are in CONTRIBUTING.md, under "Documentation is tested".
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pirunner.env import VARIABLES
from tests.docs import configuration
from tests.docs.pages import PAGES, ROOT, Block, anchors, blocks, links, prose
from tests.stack import Stack
from webhooks.signing import sign_headers

JSON_BLOCKS = [block for page in PAGES for block in blocks(page, "json")]
SHELL_PAGES = [page for page in PAGES if blocks(page, "sh")]
DOCUMENTED_ADDRESS = "http://127.0.0.1:8787"
# A failed request fails the page, which a curl of its own accord does not.
SHELL_HEAD = 'set -eu\ncurl() { command curl --fail-with-body --silent --show-error --max-time 30 "$@"; echo; }\n'

CALLBACKS = ROOT / "docs" / "callbacks.md"
# Whom the pages may name; a package index is the reader's own choice.
HOSTS = {
    "127.0.0.1",
    "api.telegram.org",
    "callback-relay",
    "github.com",
    "keepachangelog.com",
    "semver.org",
    "www.standardwebhooks.com",
}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"summary":"⏰ Reminder: čaj"}'.encode()


def named(value: Block | Path) -> str:
    return value.name


# -- what is shown -------------------------------------------------------------------------------------------


@pytest.mark.flow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("page", SHELL_PAGES, ids=named)
def test_a_page_can_be_pasted_into_a_shell(page: Path, documented: Stack, tmp_path: Path) -> None:
    shutil.copy(documented.environment["ENV_FILE"], tmp_path / ".env")
    # As in the folder of a clone; sys.prefix is the virtual environment that runs this.
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "manage.py").symlink_to(ROOT / "manage.py")
    script = SHELL_HEAD + "".join(block.text for block in blocks(page, "sh"))
    ended = subprocess.run(
        ["bash", "-c", script.replace(DOCUMENTED_ADDRESS, documented.base_url)],
        cwd=tmp_path,
        env=documented.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert ended.returncode == 0, f"{ended.stdout[-2000:]}\n{ended.stderr}"


@pytest.mark.parametrize("block", JSON_BLOCKS, ids=named)
def test_json_parses(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.flow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("block", [b for b in JSON_BLOCKS if b.words.startswith(("POST ", "PUT "))], ids=named)
def test_a_documented_body_is_accepted(block: Block, documented: Stack) -> None:
    method, _, path = block.words.partition(" ")

    answer = documented.request(method, path, json.loads(block.text))

    assert answer.status in {200, 201, 202}, answer.text


@pytest.mark.flow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("block", [b for b in JSON_BLOCKS if b.words.startswith("GET ")], ids=named)
def test_a_documented_answer_has_the_fields_of_the_real_one(block: Block, documented: Stack) -> None:
    _, _, path = block.words.partition(" ")

    assert shape(documented.get(path)) == shape(json.loads(block.text))


def shape(answer: Any) -> dict[str, Any]:
    """Return the fields of an object, and those of the first item of each list in it."""
    return {
        key: shape(value[0]) if isinstance(value, list) and value and isinstance(value[0], dict) else None
        for key, value in answer.items()
        if value != []
    }


@pytest.mark.flow
@pytest.mark.timeout(180)
def test_the_example_of_a_job_type_runs(documented: Stack) -> None:
    job = documented.finish(documented.submit("word-count", input={"text": "to be or not to be", "topWords": 2}))

    assert job["state"] == "completed"
    assert job["returnvalue"]["words"] == {"to": 2, "be": 2}
    assert [artifact["name"] for artifact in job["artifacts"]] == ["words.csv"]


@pytest.mark.flow
@pytest.mark.timeout(180)
def test_every_address_is_documented_and_every_documented_one_is_there(documented: Stack) -> None:
    api = prose(ROOT / "docs" / "api.md")
    documented_calls = re.findall(r"^## (GET|POST|PUT|PATCH|DELETE) (/\S+)$", api, re.MULTILINE)

    for method, path in documented_calls:
        body: dict[str, Any] | None = None if method in {"GET", "DELETE"} else {}
        answer = documented.request(method, re.sub(":id|:name", "999999", path), body)
        refused = {401} if path.startswith("/internal/") else {400, 404}
        assert answer.status in {200} | refused, (method, path, answer.status)
        assert "There is nothing at" not in answer.text, (method, path)

    assert {path.replace(":name", ":id") for _, path in documented_calls} == addresses()


def addresses() -> set[str]:
    """Return all addresses of the API as the pages spell them."""
    from django.urls import URLPattern, URLResolver, get_resolver

    def walk(patterns: list[Any], before: str = "") -> list[str]:
        found: list[str] = []
        for pattern in patterns:
            path = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                found += walk(pattern.url_patterns, path)
            elif isinstance(pattern, URLPattern):
                found.append(path)
        return found

    paths = [
        path
        for path in walk(get_resolver().url_patterns)
        if path and not path.startswith(("admin/", "static", "favicon"))
    ]
    return {"/" + re.sub(r"<[^>]+>", ":id", path) for path in paths}


# -- verifying callbacks ---------------------------------------------------------------------------------------


def signed(secret: str = SECRET, *, age: float = 0) -> dict[str, str]:
    timestamp = int(time.time() - age)
    # As while the secret is changed: the other one has signed too.
    secrets = [secret, "the previous one"]
    return sign_headers(event="job.completed", event_id="evt_1", body=BODY, timestamp=timestamp, secrets=secrets)


@pytest.mark.parametrize("block", blocks(CALLBACKS, "python"), ids=["own", "plain"])
def test_the_verifiers_in_python_tell_genuine_callbacks(block: Block) -> None:
    scope: dict[str, Any] = {}
    exec(block.text, scope)  # noqa: S102  (it is our own page)
    is_genuine = scope["is_genuine"]

    assert is_genuine(signed(), BODY, SECRET)
    assert not is_genuine(signed(), BODY + b" ", SECRET)
    assert not is_genuine(signed(), BODY, "another secret")
    assert not is_genuine(signed(age=301), BODY, SECRET)
    assert not is_genuine({}, BODY, SECRET)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("block", blocks(CALLBACKS, "js"), ids=["old family", "Standard Webhooks"])
@pytest.mark.parametrize("secret", [SECRET, "a secret as plain text, č"])
def test_the_verifiers_in_node_tell_genuine_callbacks(block: Block, secret: str, tmp_path: Path) -> None:
    genuine, old = signed(secret), signed(secret, age=301)
    cases = [(genuine, BODY.decode()), (genuine, BODY.decode() + " "), (old, BODY.decode()), ({}, "")]
    lowered = [[{name.lower(): value for name, value in headers.items()}, body] for headers, body in cases]
    call = (
        f"const cases = {json.dumps(lowered)};\n"
        f"const said = cases.map(([headers, body]) => isGenuine(headers, Buffer.from(body), {json.dumps(secret)}));\n"
        "console.log(JSON.stringify(said));\n"
    )
    script = tmp_path / "verify.mjs"
    script.write_text(block.text + call)

    said = subprocess.run(["node", script], capture_output=True, text=True, timeout=30, check=True).stdout

    assert json.loads(said) == [True, False, False, False]


# -- what is linked and listed -----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_can_be_reached_from_the_readme() -> None:
    linked = {link.partition("#")[0] for link in links(ROOT / "README.md")}

    assert {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= linked


def test_the_table_of_variables_is_the_one_of_the_code() -> None:
    page = configuration.PAGE.read_text(encoding="utf-8")

    assert page == configuration.with_table(page), "Run python -m tests.docs.configuration"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_variables_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    known = {variable.name for variable in VARIABLES}
    prefixes = ("RUNNER", "CALLBACK", "RETENTION", "FETCH", "WORKER", "FLOWER", "DATABASE", "REDIS", "BROKER")
    mentioned = set(re.findall(rf"\b(?:{'|'.join(prefixes)})_[A-Z_]*[A-Z]\b", text))

    assert {name.removesuffix("_FILE") for name in mentioned} <= known


# -- what must not be in any file -----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_no_path_of_a_developers_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert f"{ROOT}/" not in text
    assert not re.search(r"(?<![\w.])/(root|opt|tmp|mnt)/", text)
    assert os.uname().nodename not in re.findall(r"@(\w+)", text)


@pytest.mark.parametrize("file", [*PAGES, *sorted((ROOT / "docker").iterdir())], ids=named)
def test_only_these_hosts_are_named(file: Path) -> None:
    hosts = re.findall(r"\b[a-z]+://(?:[^\s/@]*@)?([^\s/:)\"'`$]+)", file.read_text(encoding="utf-8"))

    assert [host for host in hosts if host not in HOSTS and not host.endswith(".example")] == []


def test_the_locks_name_no_index() -> None:
    for lock in ROOT.glob("requirements*.txt"):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text, lock.name
        assert "-index" not in text, lock.name


def test_the_licence_is_the_one_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith(f"{project['license']} License")
