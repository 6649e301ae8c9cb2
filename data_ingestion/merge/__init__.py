"""Merge: raw is a function of the landing. How drops come into raw and leave it, in SQL that all warehouses share."""
