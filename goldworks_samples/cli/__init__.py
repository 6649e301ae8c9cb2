"""The commands that write samples and traffic, as `goldworks` shows them."""
