"""The body of ``staff.imported``: counts, hashes and codes of one staff file; no staff member in it."""

from sluice.ledger.record import Part, PurposeLine, ReasonLine
from sluice.terms import Direction, RoleProfile


class StaffImportRecord(Part):
    """A staff file was read. ``rows_in = rows_accepted + rows_refused``; ``imported_at``: UTC, ISO 8601 with ``Z``.

    ``rows_new``: statements that were not recorded before. ``kinds``: accepted rows per kind.
    """

    direction: Direction = Direction.STAFF
    role_profile: RoleProfile = RoleProfile.STAFF
    controller: str
    purposes: tuple[PurposeLine, ...]
    source: str
    file_sha256: str
    size_bytes: int
    imported_at: str
    rows_in: int
    rows_accepted: int
    rows_refused: int
    rows_new: int
    kinds: dict[str, int]
    reasons: tuple[ReasonLine, ...]
