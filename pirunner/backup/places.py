"""Where things are in a backup, and what is left behind by one that was interrupted. Imports nothing of Django."""

SQLITE = "database/pirunner.sqlite3"
POSTGRES = "database/pirunner.pgdump"
ARTIFACTS = "artifacts/"
KEY = "systemd-key/"
MANIFESTS = "systemd-manifests/"
ENV = "secrets/env"
MANIFEST = "manifest.json"

BACKUP_PREFIX = ".backup-"
RESTORE_PREFIX = ".restore-"
ASIDE_PREFIX = "before-restore-"
LEFTOVERS = (f"{BACKUP_PREFIX}*", f"{RESTORE_PREFIX}*")
