"""The number of a package, apart from everything heavy, because the API server imports it."""

from typing import NewType

AnswerId = NewType("AnswerId", str)
"""UUID of one package."""
