"""What keeps a backup from being taken or put back: one sentence for the owner."""


class BackupFault(Exception):
    """It cannot be done; the sentence says why, and what to do. Nothing was changed unless it says so."""
