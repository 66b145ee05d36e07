"""Invented files for the demo and the tests, generated from a seed."""
