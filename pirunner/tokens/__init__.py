"""Tokens of the API: who made them, what they may do, and when they were used."""
