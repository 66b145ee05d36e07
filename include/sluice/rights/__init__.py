"""Requests of persons, from the first protection to the last letter: the course of a case, using the rooms below."""
