"""Compare the rows of a file with what is recorded, and refuse contradictions and empty withdrawals. Pure."""

from collections.abc import Iterable, Iterator

from sluice.staff.model import Account, CodeVersion, Finding, Held, Identity, Judged, Kind, StaffRow

Claim = tuple[object, ...]
"""A fact that only one statement may state: who has an account from a moment on, what a code version means."""


def settle(judged: Judged, held: Held) -> Judged:
    """Refuse a row that contradicts an earlier one, repeats a withdrawn one, or withdraws what was never stated.

    Recorded statements come before those of the file, which count in order. A withdrawal in the file
    applies to all rows of the file.
    """
    here = frozenset(row.identity for row in judged.accepted if row.withdrawn)
    stated = held.stated | {row.identity for row in judged.accepted if not row.withdrawn}
    taken = dict(_claims_of(held.stated - held.withdrawn - here))
    accepted, findings = [], []
    for row in judged.accepted:
        fault = _fault(row, stated, held.withdrawn - here, taken)
        if fault:
            findings.append(fault)
            continue
        accepted.append(row)
        if not row.withdrawn and row.identity not in here:
            taken.update(_claims_of([row.identity]))
    found = sorted((*judged.findings, *findings), key=lambda finding: finding.row)
    return Judged(judged.rows_in, tuple(accepted), tuple(found))


def _fault(
    row: StaffRow, stated: frozenset[Identity], gone: frozenset[Identity], taken: dict[Claim, Identity]
) -> Finding | None:
    if row.withdrawn:
        is_empty = row.identity not in stated
        return Finding("VALUE_NOTHING_TO_WITHDRAW", "withdraws_a_row", "withdrawn", row.number) if is_empty else None
    if row.identity in gone:
        return Finding("STALE_WITHDRAWN", "not_taken_back", None, row.number)
    if any(taken.get(claim, row.identity) != row.identity for claim, _ in _claims_of([row.identity])):
        column = "account" if row.kind is Kind.ACCOUNT else "version"
        return Finding("DUPLICATE_VALUE", "one_meaning", column, row.number)
    return None


def _claims_of(identities: Iterable[Identity]) -> Iterator[tuple[Claim, Identity]]:
    for identity in identities:
        said = identity[1]
        if isinstance(said, CodeVersion):
            yield ("version", said.version), identity
            yield ("current_from", said.current_from), identity
        elif isinstance(said, Account):
            yield ("account", said.platform, said.account_ref, said.valid_from), identity
