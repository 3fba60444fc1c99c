"""Turns: transactions about the same thing, one after the other."""

from django.db import connection


def take_turns(about: str) -> None:
    """Wait until no other transaction has its turn about this; the turn ends with the transaction.

    SQLite has one writer at a time anyway; PostgreSQL takes an advisory lock on the hash of ``about``.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [about])
