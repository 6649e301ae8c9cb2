"""Draft: a first version of a contract, made from a sample file, with what only a person can decide marked in it."""
