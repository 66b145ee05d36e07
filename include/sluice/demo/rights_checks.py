"""Evidence of the demo's other rights: what the packages hold, and what the next dial list shows."""

import hashlib
from collections.abc import Iterator

from sluice.demo.rights import CORRECTED, Rights
from sluice.demo.story import Check
from sluice.dial.model import LeftOut
from sluice.exchange.house import House
from sluice.rights.case import store
from sluice.rights.case.model import Right, State, Track

DECIDED_BY_PRINCIPAL = frozenset({State.INSTRUCTED, State.EXECUTED, State.CONFIRMED_TO_CONTROLLER, State.CLOSED})


def rights_checks(house: House, told: Rights) -> Iterator[Check]:
    """Yield every line of evidence about the rights other than erasure, in both roles."""
    yield _roles(house, told)
    yield from _packages(told)
    yield from _next_list(told)


def _roles(house: House, told: Rights) -> Check:
    """Check that both the center and the principal decided on every case."""
    cases = [store.get_case(house.conn, case.case_id) for _, case in told.cases.values()]
    own = sum(any(part.track is Track.CONTROLLER and part.action for part in case.sub_cases) for case in cases)
    theirs = sum(
        any(part.track is Track.PROCESSOR and part.state in DECIDED_BY_PRINCIPAL for part in case.sub_cases)
        for case in cases
    )
    figure = (
        f"{own} decided by the center (controller), {theirs} instructed by a principal (processor), {len(cases)} cases"
    )
    return Check("five rights more, in both roles", figure, theirs == len(cases) and own >= len(cases) - 1)


def _packages(told: Rights) -> Iterator[Check]:
    for kind, made in told.packages.items():
        folder = told.folder / kind.value
        whole = [hashlib.sha256((folder / f.path).read_bytes()).hexdigest() == f.sha256 for f in made.files]
        rows, kept = sum(f.rows or 0 for f in made.files), sum(not field.included for field in made.fields)
        figure = f"{len(whole)} files, {rows} rows; {kept} of {len(made.fields)} fields stay, each with its reason"
        has_reasons = all(field.reason for field in made.fields if not field.included)
        yield Check(f"{kind.value}: a package, sealed and handed over", figure, all(whole) and rows > 0 and has_reasons)


def _next_list(told: Rights) -> Iterator[Check]:
    number = {right: who for right, (who, _) in told.cases.items()}
    left, rows = told.after.done.left_out, told.after.rows
    for right, reason in ((Right.RESTRICTION, "restricted"), (Right.OBJECTION, "objected")):
        held = left.get(reason, 0)
        figure = f"{held} held as {reason}"
        yield Check(f"{right.value}: out of the next dial list", figure, held > 0 and number[right] not in rows)
    row = rows.get(number[Right.RECTIFICATION], {})
    was = told.before.rows[number[Right.RECTIFICATION]]["product"]
    figure = f"product {was} before, {row.get('product')} now"
    yield Check("rectification: right in the next dial list", figure, row.get("product") == CORRECTED != was)
    is_there = number[Right.ACCESS] in rows
    yield Check("access: who asked is in it as before", "in it" if is_there else "GONE", is_there)
    listed, was_in = left.get(LeftOut.DO_NOT_CALL_ME.value, 0), told.unlisted in told.before.rows
    figure = f"{listed} on the list of today"
    yield Check("Do-Not-Call-Me: out of it", figure, listed > 0 and was_in and told.unlisted not in rows)
