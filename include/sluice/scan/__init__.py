"""The second scan: finds which of the given values are in the bytes of which object, with readers of its own."""
