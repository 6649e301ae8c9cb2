"""Profiles: what each relation of a domain holds, from raw to gold, in counts and, where nobody is named, in values."""
