"""Profiles: what each relation of a domain holds, from raw to gold, in counts and, for public columns, in values."""
