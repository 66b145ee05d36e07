"""Rules and verdict, pure: one pass answers every expectation of a suite and names each failing row."""
