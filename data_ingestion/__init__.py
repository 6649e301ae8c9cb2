"""Goldworks' loader: files that land are checked by their contract and merged into raw, every row accounted for."""
