"""The people of the admin: how they sign in, and what they may do there."""
