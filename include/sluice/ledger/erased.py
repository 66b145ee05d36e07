"""Bodies of entries about an erasure: planned, released, refused, stopped, done. They identify no person.

They hold numbers, codes and hashes. All times are UTC with ``Z``. ``..._by`` is a login of the center, never the person
that a case is about.
"""

from sluice.ledger.record import Part


class StoreErased(Part):
    """One store: objects that named the person, rows before and after, what happened, on which ground."""

    store: str
    objects: int
    rows_before: int
    rows_after: int
    outcome: str
    ground: str | None


class ExceptionKept(Part):
    """A field group that was not erased by decision: ``reason`` an IRI (GDPR Art. 17(3), 12(5)), looked at again by
    ``review_on``; Brussels dates."""

    sub_case_id: str
    field_group: str
    reason: str
    decided_on: str
    review_on: str


class GroundDecided(Part):
    """Why the data of one part had to be erased, GDPR Art. 17(1); None if whoever decided did not say."""

    sub_case_id: str
    ground: str | None


class ErasureDone(Part):
    """``residual``: what the second scan still found; the entry is written whatever it is.

    ``sealed``: objects only their recipient can open; the index of their rows does not name the person.
    ``shared``: identifiers of the person that other persons have too (a family's telephone): not looked for.
    ``short``: identifiers too short to be looked for among bytes.
    ``waiting``: exchanges and uploads under way, which may still bring rows.
    ``kept``: objects that name the person because of what was decided of them (``exceptions``), or was not yet:
    ``undecided`` of them.
    """

    case_id: str
    principal: str
    done_at: str
    stores: tuple[StoreErased, ...]
    objects_scanned: int
    residual: int
    doubts: int
    sealed: int
    shared: int
    short: int
    waiting: int
    kept: int
    undecided: int
    exceptions: tuple[ExceptionKept, ...]
    grounds: tuple[GroundDecided, ...]


class ErasurePlanned(Part):
    """What an erasure would do at one principal; ``plan_sha256`` is what a second person releases."""

    case_id: str
    principal: str
    plan_sha256: str
    planned_by: str
    planned_at: str
    stores: tuple[StoreErased, ...]


class ErasureReleased(Part):
    """Somebody who neither made the plan nor decided the case let exactly this plan be carried out."""

    case_id: str
    principal: str
    plan_sha256: str
    released_by: str
    released_at: str
    reason: str | None = None


class ErasureRefused(Part):
    """What was wanted and not done, and why. ``wanted``: release, run. ``objects``: copies left as they are."""

    case_id: str
    principal: str | None
    wanted: str
    asked_by: str
    refused_at: str
    reason: str
    objects: int = 0


class ErasureStopped(Part):
    """One erasure, or all of them (``case_id`` None), stands still."""

    case_id: str | None
    reason: str
    stopped_by: str
    stopped_at: str


class ErasureResumed(Part):
    """It may go on."""

    case_id: str | None
    resumed_by: str
    resumed_at: str
