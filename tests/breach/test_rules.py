"""Who is one person, and who must be told by whom and when: pure rules of a breach."""

from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.agreement.clauses.annexes import Known, parse_annexes
from sluice.agreement.folder.load import parse_agreement
from sluice.agreement.timeline import Days
from sluice.breach.count import rows_gone, whole_of
from sluice.breach.model import Applies, Counted, Draft, Duty, Line, PrincipalPart, Risk, Scope, Slice
from sluice.breach.page import drafts_of, make_draft
from sluice.breach.rules import SCHEMA, count_persons, duties_of
from sluice.breach.write import text_of
from sluice.rights.case.facts import clock_parameters
from sluice.rights.copies.model import Copy
from sluice.settings import Settings
from sluice.terms import Direction, ExchangeId, Flow
from support.effort import effort

AWARE = datetime(2026, 3, 27, 22, tzinfo=UTC)
PAPERS = Settings().principals_dir


def known(name: str, file: str) -> Known:
    body = (PAPERS / name / file).read_bytes()
    return Known(parse_agreement(body, file), parse_annexes(body, file), Days(date(2026, 1, 1), None))


ENERGY, TELECOM = known("energy01", "agreement-3.0.0.yaml"), known("telecom01", "agreement-1.0.0.yaml")
NAME = Line("identity", "https://w3id.org/dpv/pd#Name", "principal", "PRINCIPAL_CONTROLLER", False)
SEEDED = Line("disposition", "https://w3id.org/dpv/pd#Interaction", "center", "SEED_OWNER", False)
STAFF = Line("agent_ref", "https://w3id.org/dpv/pd#UID", "center", "STAFF", False)


def part(paper: Known, *lines: Line) -> PrincipalPart:
    counted = Counted(7, 9, 0)
    return PrincipalPart(
        paper.agreement.principal, paper, ("a1b2",), (), counted, lines, (paper.agreement.principal,), ("BE",)
    )


def duties(*parts: PrincipalPart, risk: Risk = Risk.UNDECIDED) -> list[tuple[str, str, str, Applies]]:
    found = duties_of(parts, "center", AWARE, risk, clock_parameters(AWARE.date()))
    return [(each.by, each.to, each.article, each.applies) for each in found]


def test_of_data_of_a_principal_the_processor_tells_it_within_the_hours_of_the_agreement() -> None:
    found = duties_of([part(ENERGY, NAME)], "center", AWARE, Risk.UNDECIDED, clock_parameters(AWARE.date()))

    assert found[0] == Duty(
        "center", "energy01", "33(2)", Applies.YES, ("energy01",), due_at=datetime(2026, 3, 28, 22, tzinfo=UTC)
    )
    assert [(each.by, each.to, each.within_hours, each.applies) for each in found[1:]] == [
        ("energy01", "authority", 72, Applies.YES),
        ("energy01", "persons", None, Applies.UNDECIDED),
    ]


def test_of_its_own_data_the_center_tells_the_authority_in_72_hours_of_elapsed_time_over_a_change_of_clocks() -> None:
    found = duties_of([part(ENERGY, STAFF)], "center", AWARE, Risk.UNDECIDED, clock_parameters(AWARE.date()))

    assert [(each.by, each.to, each.article) for each in found] == [
        ("center", "authority", "33(1)"),
        ("center", "persons", "34(1)"),
    ]
    assert found[0].due_at == datetime(2026, 3, 30, 22, tzinfo=UTC), "the night of 29 March has 23 hours"


def test_where_a_role_can_be_contested_both_are_told() -> None:
    assert ("center", "energy01", "33(2)", Applies.YES) in duties(part(ENERGY, SEEDED))
    assert ("center", "authority", "33(1)", Applies.YES) in duties(part(ENERGY, SEEDED))
    assert ("center", "energy01", "33(2)", Applies.YES) not in duties(part(ENERGY, STAFF))


@pytest.mark.parametrize(
    ("risk", "authority", "persons"),
    [
        (Risk.UNDECIDED, Applies.YES, Applies.UNDECIDED),
        (Risk.UNLIKELY, Applies.NO, Applies.NO),
        (Risk.RISK, Applies.YES, Applies.NO),
        (Risk.HIGH, Applies.YES, Applies.YES),
    ],
)
def test_what_was_decided_of_the_risk_decides_who_else_is_told(
    risk: Risk, authority: Applies, persons: Applies
) -> None:
    found = duties(part(ENERGY, NAME, SEEDED), part(TELECOM, NAME), risk=risk)

    assert {applies for _, to, _, applies in found if to == "authority"} == {authority}
    assert {applies for _, to, _, applies in found if to == "persons"} == {persons}
    assert [each for each in found if each[2] == "33(2)"] == [
        ("center", "energy01", "33(2)", Applies.YES),
        ("center", "telecom01", "33(2)", Applies.YES),
    ]


def test_an_agreement_without_hours_leaves_no_hour_but_the_duty() -> None:
    silent = replace(ENERGY, annexes=replace(ENERGY.annexes, breach_notice_hours=None))
    [told, *_] = [each for each in duties_of(
        [part(silent, NAME)], "center", AWARE, Risk.RISK, clock_parameters(AWARE.date()),
    ) if each.article == "33(2)"]  # fmt: skip

    assert (told.due_at, told.applies) == (None, Applies.YES)


@pytest.mark.parametrize(("first", "second"), [(24, 72), (72, 24), (None, 24), (24, None)])
def test_of_data_under_two_agreements_the_principal_is_told_within_the_fewer_hours(
    first: int | None, second: int | None
) -> None:
    one, other = (
        replace(ENERGY, annexes=replace(ENERGY.annexes, breach_notice_hours=hours)) for hours in (first, second)
    )
    both = replace(part(one, NAME), also_under=(other,))

    [told, *_] = duties_of([both], "center", AWARE, Risk.UNDECIDED, clock_parameters(AWARE.date()))

    assert (told.article, told.due_at) == ("33(2)", datetime(2026, 3, 28, 22, tzinfo=UTC))


@pytest.mark.parametrize("language", ["nl", "fr", "en"])
def test_a_draft_for_one_principal_says_nothing_of_another(language: str) -> None:
    parts = (part(ENERGY, NAME, SEEDED), replace(part(TELECOM, NAME, STAFF), exchanges=("ffff0000",)))
    scope = Scope("agent", "ab" * 16, AWARE, AWARE)
    due = duties_of(parts, "center", AWARE, Risk.HIGH, clock_parameters(AWARE.date()))
    found = Slice(scope, AWARE, Risk.HIGH, ENERGY.annexes.processors[0], parts, due, AWARE)

    texts = {
        (draft, own.principal if own else None): text_of(make_draft(found, draft, own, language))
        for draft, own in drafts_of(found)
    }

    assert set(texts) == {
        (Draft.CONTROLLER, "energy01"), (Draft.CONTROLLER, "telecom01"), (Draft.AUTHORITY, None),
        (Draft.PERSONS, "energy01"), (Draft.PERSONS, None),
    }  # fmt: skip
    others = {"energy01": ("telecom01", "Télécom Un", "ffff0000"), "telecom01": ("energy01", "Energy One", "a1b2")}
    for (_, principal), text in texts.items():
        assert "{" not in text and "breach." not in text and scope.name not in text
        assert not principal or not [word for word in others[principal] if word in text]
    both = texts[Draft.AUTHORITY, None]
    assert [word for names in others.values() for word in names if word in both], "the check can fail"


PERSON = st.integers(0, 5)
ROWS = st.lists(st.tuples(st.none() | PERSON, st.none() | PERSON, st.none() | PERSON), max_size=12)


def frame(rows: list[tuple[int | None, int | None, int | None]]) -> pl.DataFrame:
    """Rows of a customer number, a telephone and a mail address of persons by number, each kind its own letter."""
    own = [None if n is None else f"c{n}" for n, _, _ in rows]
    others = [[None if p is None else f"p{p}", None if m is None else f"m{m}"] for _, p, m in rows]
    return pl.DataFrame({"own": own, "others": others}, schema=SCHEMA)


@settings(max_examples=effort(80, 2_000))
@given(rows=ROWS, cut=st.integers(0, 12))
def test_persons_are_counted_once_however_their_rows_are_cut_into_files(
    rows: list[tuple[int | None, int | None, int | None]], cut: int
) -> None:
    """Against a count by hand: customer numbers, and sets of references of rows without one that no such row has."""
    owned = {n for n, _, _ in rows if n is not None}
    known = {word for n, p, m in rows if n is not None for word in ((("p", p)), ("m", m)) if word[1] is not None}
    alone = [[word for word in (("p", p), ("m", m)) if word[1] is not None] for n, p, m in rows if n is None]
    new = {frozenset(words) for words in alone if words and not set(words) & known}

    assert count_persons([frame(rows[:cut]), frame(rows[cut:])]) == (len(owned) + len(new), alone.count([]))


@pytest.mark.parametrize(
    ("rows", "counted"),
    [
        ([(None, 1, 1), (None, 1, 2)], 2),  # a household with one telephone
        ([(None, 1, 1), (None, 2, 1)], 2),
        ([(None, 1, 1), (None, 1, 1)], 1),
        ([(None, 1, 1), (None, 1, None)], 2),  # one or two: nobody can tell, and none is left out
        ([(7, 1, 1), (None, 1, 2), (None, 3, 2)], 2),
    ],
)
def test_rows_without_a_customer_number_are_one_person_for_all_their_references_only(
    rows: list[tuple[int | None, int | None, int | None]], counted: int
) -> None:
    assert count_persons([frame(rows)]) == (counted, 0)


def test_the_hours_of_the_clock_are_those_of_the_law() -> None:
    assert clock_parameters(AWARE.date()).breach_hours == 72


@pytest.mark.parametrize(
    ("kinds", "counted"),
    [
        (("arrived", "lake", "index", "index.rest"), ["lake"]),
        (("index.rest", "handed.kept", "handed"), ["handed.kept"]),
        (("handed",), ["handed"]),
        (("index", "findings"), []),
    ],
)
def test_every_row_of_an_exchange_is_looked_at_once_and_a_package_is_never_taken_for_gone(
    kinds: tuple[str, ...], counted: list[str]
) -> None:
    assert [copy.kind for copy in whole_of(copies_of(kinds))] == counted


def copies_of(kinds: tuple[str, ...]) -> list[Copy]:
    one = ExchangeId("a1b2")
    return [Copy(one, kind, Direction.INBOUND, Flow("f"), "b", kind, "v", "", None, ()) for kind in kinds]


@pytest.mark.parametrize(
    ("kinds", "counted"),
    [
        (("arrived", "quarantine.rows", "index"), ["arrived"]),
        (("quarantine.rows", "quarantine.held"), ["quarantine.rows", "quarantine.held"]),
        (("delivered", "index"), ["delivered"]),
    ],
)
def test_of_an_exchange_whose_rows_are_not_all_there_the_file_that_has_them_all_is_read(
    kinds: tuple[str, ...], counted: list[str]
) -> None:
    assert [copy.kind for copy in whole_of(copies_of(kinds), {"a1b2"})] == counted


@pytest.mark.parametrize(
    ("asked", "read", "gone", "rows"),
    [
        (None, {"quarantine.rows"}, {"lake": 19, "index": None}, 19),
        (None, {"arrived"}, {"lake": 19}, 0),
        (None, {"lake"}, {"quarantine.rows": 1, "quarantine.held": 2, "arrived": None}, 3),
        (None, {"lake"}, {"arrived": None, "findings": 4}, 0),
        ({"arrived"}, set(), {"arrived": None, "lake": 19}, None),
        ({"lake"}, set(), {"lake": 19}, 19),
        ({"index"}, set(), {"index": None}, 0),
    ],
)
def test_what_is_gone_of_what_was_asked_for_is_rows_that_nobody_can_read(
    asked: set[str] | None, read: set[str], gone: dict[str, int | None], rows: int | None
) -> None:
    assert rows_gone(asked, read, gone) == rows
