"""What a backup holds, for people."""

from pirunner.backup import places
from pirunner.backup.manifest import Manifest
from pirunner.tables import Column, lines_of_table
from pirunner.wording import size

_PARTS = {
    "database": "database/",
    "artifacts": places.ARTIFACTS,
    "signing key": places.KEY,
    "manifests": places.MANIFESTS,
    "secrets": places.ENV,
}


def lines(manifest: Manifest) -> list[str]:
    """Return a table of what is in it, and what is worth knowing."""
    columns = [Column("what"), Column("files", right=True), Column("size", right=True), Column("")]
    told = ", ".join(f"{number} {what}" for what, number in manifest.rows.items())
    rows = []
    for name, prefix in _PARTS.items():
        files, total = manifest.counted(prefix)
        if files:
            rows.append([name, files, size(total), f"{manifest.database}: {told}" if name == "database" else " "])
    found = lines_of_table(columns, rows)
    if manifest.missing:
        found.append(f"{len(manifest.missing)} artifacts were gone from the disk, and are not in it.")
    if not manifest.secrets:
        found.append("The secrets in .env are not in it; --with-secrets puts them in.")
    return found
