"""Signed manifests of schedules, and the program that turns them into systemd units."""
