"""Outcomes that all stores share: for a copy that is left unchanged, and for one that is removed whole. Pure."""

from sluice.lake.erase.model import EraseRefused
from sluice.rights.copies.model import Copy, Done, Edit, Outcome, Place

NOT_READABLE = "NOT_READABLE_BY_ROWS"
BESIDE = "NAMED_BESIDE_THE_FILE"
"""Why a copy was written anew with the same bytes: the person was named in its metadata, headers or tags alone."""


def untouched(store: str, copy: Copy) -> Edit:
    """An edit that changes nothing: the person is not in the copy, or it is gone. ``store``: its name."""
    return Edit(Done(Place(store, copy, 0), Outcome.ERASED, None, 0, 0))


def removed(store: str, copy: Copy, ground: str, rows: int) -> Edit:
    """An edit that removes the whole object, every version of it; the certificate says so. ``store``: its name."""
    return Edit(Done(Place(store, copy, rows), Outcome.REMOVED, ground, rows, 0))


def rule_of(refused: EraseRefused) -> str:
    """The reason why a file could not be edited, as a certificate gives it."""
    return next((str(ref.value) for ref in refused.refs if ref.kind == "rule"), "UNSAFE")
