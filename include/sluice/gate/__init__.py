"""Rules and verdict, pure: every expectation of a suite from one pass, each failing row named."""
