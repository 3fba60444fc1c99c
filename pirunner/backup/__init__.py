"""Backups that are taken while pirunner runs, and putting them back.

A backup is one tar with gzip: the database as it was at one instant, the artifacts that this database knows, the
signing key and the manifests of systemd's timers, with ``--with-secrets`` also `.env`, and at the end a manifest with
the size and SHA-256 of each.
"""
