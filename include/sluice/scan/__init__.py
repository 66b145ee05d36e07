"""A second scan over bytes: which planted value is in which object, by a reader of its own."""
