"""What warehouses without indexes and enforced keys have in common."""
