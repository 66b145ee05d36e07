"""Files of our own for the demo and the tests, from a seed."""
