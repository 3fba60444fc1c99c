"""A machine for the installer, below one folder: manifests, systemd's folder, and a systemctl that notes its calls."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from installer.config import Config, read_config
from installer.manifests import Manifest, Manifests, manifest_of, new_id
from installer.sync import Outcome, Syncer
from installer.systemd import Systemctl
from pirunner.env import ROOT

NOW = datetime(2026, 5, 5, 12, 0, tzinfo=UTC)
TOKEN = "the-token-of-the-installer"
KILLER = "import sys; from tests.installer.host import sync_and_die; sync_and_die(*sys.argv[1:])"


def schedule(cron: str = "0 9 * * 1-5", *, id: str = "", enabled: bool = True, **fields: Any) -> Manifest:  # noqa: A002
    """A manifest of a cron, or of whatever else the fields say."""
    if fields.get("every_seconds") or fields.pop("once", False):
        cron = ""
    return manifest_of(
        id=id or new_id(),
        enabled=enabled,
        zone=fields.pop("zone", "Europe/Berlin"),
        cron=cron,
        created_at=NOW,
        updated_at=NOW,
        **fields,
    )


def timer_of(manifest: Manifest) -> str:
    return f"piar-{manifest.id}.timer"


@dataclass(frozen=True)
class Host:
    """Where everything lies; its methods say what systemd knows and was told."""

    root: Path

    @classmethod
    def make(cls, root: Path) -> "Host":
        host = cls(root)
        for folder in (host.data, host.units, host.bin):
            folder.mkdir()
            folder.chmod(0o755)
        script = host.bin / "systemctl"
        program = (ROOT / "tests" / "installer" / "systemctl.py").read_text()
        script.write_text(f"#!{sys.executable}\n{program}")
        script.chmod(0o755)
        host.wish()
        knows = {"units": str(host.units), "loaded": {}, "enabled": {}, "running": {}}
        (host.bin / "knows.json").write_text(json.dumps(knows))
        return host

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def units(self) -> Path:
        return self.root / "system"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def bin(self) -> Path:
        return self.root / "bin"

    @property
    def manifests(self) -> Manifests:
        return Manifests(self.data)

    @property
    def folder(self) -> Path:
        return self.manifests.folder

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "RUNNER_DATA_DIR": str(self.data),
            "SYSTEMD_DIR": str(self.units),
            "INSTALLER_STATE_DIR": str(self.state),
            "INSTALLER_TOKEN": TOKEN,
            "INSTALLER_POLL_MS": "1000",
        }

    @property
    def config(self) -> Config:
        return read_config(self.environment, root=ROOT, apply=True)

    def syncer(self) -> Syncer:
        return Syncer(self.config, Systemctl(), say=lambda _line: None)

    def sync(self, now: datetime = NOW, **options: str) -> Outcome:
        return self.syncer().sync(now, **options)

    def wish(self, **wishes: Any) -> None:
        (self.bin / "wish.json").write_text(json.dumps(wishes))

    def knows(self) -> dict[str, Any]:
        knows: dict[str, Any] = json.loads((self.bin / "knows.json").read_text())
        return knows

    def calls(self) -> list[str]:
        """The calls since the last time that this was asked, as text without options and numbers of units."""
        path = self.bin / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [next(word for word in json.loads(line) if not word.startswith("--")) for line in lines]

    def installed(self) -> set[str]:
        return {file.name for file in self.units.glob("piar-sysd-*.timer")}

    def in_step(self) -> bool:
        """Whether systemd runs exactly what is on disk, and will after a boot."""
        knows = self.knows()
        on_disk = {name: (self.units / name).read_text() for name in knows["running"] if (self.units / name).exists()}
        return knows["running"] == on_disk and set(knows["enabled"]) == set(knows["running"])

    def running(self) -> set[str]:
        return set(self.knows()["running"])

    def written(self) -> dict[str, tuple[int, int]]:
        """What there is on disk, so that one can tell whether something was written since."""
        files = [*self.data.rglob("*"), *self.units.rglob("*"), *self.state.rglob("*")]
        return {str(file): (file.lstat().st_ino, file.lstat().st_mtime_ns) for file in files if file.name != ".lock"}

    def die_at(self, step: int) -> bool:
        """Sync in a process that kills itself before its so-maniest step; return whether it came so far."""
        command = [sys.executable, "-c", KILLER, str(self.root), str(step)]
        ended = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert ended.returncode in {0, -9}, ended.stderr
        return ended.returncode == -9


def sync_and_die(root: str, step: str) -> None:
    """Sync, and be killed before a step; what a subprocess of the tests runs."""
    left = int(step)

    def count(_what: str) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)

    host = Host(Path(root))
    Syncer(host.config, Systemctl(), say=lambda _line: None, step=count).sync(NOW + timedelta(minutes=1))
