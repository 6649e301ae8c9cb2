"""What every warehouse must be able to do: statements in a dialect. So the ledger and the merge are written once."""
