"""What makes the references of one principal: its secret, and what its customer numbers are compared without.

The two go together, so that nobody who makes a reference can forget the second.
"""

from collections.abc import Collection

from sluice.terms import CustomerIdIgnores


class SubjectKey(bytes):
    """The 32 bytes that key the references of one principal.

    ``ignores``: what its customer numbers are compared without; by default every character counts.
    """

    ignores: frozenset[CustomerIdIgnores]

    def __new__(cls, secret: bytes, ignores: Collection[CustomerIdIgnores] = ()) -> "SubjectKey":
        key = super().__new__(cls, secret)
        key.ignores = frozenset(ignores)
        return key

    def __repr__(self) -> str:
        return f"SubjectKey(ignores={sorted(self.ignores)})"
