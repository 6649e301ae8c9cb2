"""Onboarding: from files of a new dataset to its contract, models and dashboard, by a few questions."""
