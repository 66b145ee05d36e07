"""Requests of persons, from the first protection to the last letter: how a case goes on, over the rooms below."""
