"""Keyed references to persons, the index of who is where, suppressions and consent."""
