"""Staging: where checked rows wait for their merge."""
