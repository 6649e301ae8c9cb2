"""Goldworks' loader: files that land are judged by their contract and merged into raw, every row accounted for."""
