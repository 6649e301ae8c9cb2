"""Samples: invented drops and traffic for trying Goldworks out, which its users' package does not have."""
