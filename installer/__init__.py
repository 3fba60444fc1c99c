"""Signed manifests of schedules, and the program that turns them into systemd timers.

``manifests`` is the writing side, which the API uses. Everything else is the reading side: it runs as root, reads
nothing but the manifests, and believes nothing but their signature. Neither knows Django or a database.
"""
