"""Rows and findings of a register: every use of every exchange has one row, whatever was declared and seen."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.agreement.clauses.annexes import Known, KnownContract, parse_annexes, parse_process
from sluice.agreement.folder.load import parse_agreement, parse_contract
from sluice.agreement.roles.profiles import PROFILES
from sluice.agreement.timeline import Days
from sluice.documents.words import LANGUAGES, words
from sluice.ledger.record import PurposeLine
from sluice.registers.columns import IDENTIFICATION, REGISTER, columns_of
from sluice.registers.model import (
    Article,
    Center,
    Declared,
    Finding,
    FindingCode,
    Key,
    Papers,
    Row,
    SeenColumn,
    SeenRole,
    Sighting,
)
from sluice.registers.rules import findings_of, rows_of, uses_of
from sluice.registers.tables import finding_text
from sluice.registers.terms import duration_text
from sluice.rights.case.facts import register_years
from sluice.settings import Settings
from sluice.terms import Direction, RoleProfile
from support.effort import effort

PAPERS = Settings().principals_dir / "energy01"
AT = date(2026, 11, 26)
YEARS = register_years(AT)
BODY = (PAPERS / "agreement-3.0.0.yaml").read_bytes()
KNOWN = Known(parse_agreement(BODY, "a"), parse_annexes(BODY, "a"), Days(date(2026, 1, 1), None))
CENTER = Center("center", "BE", KNOWN.annexes.processors[0])


def contract(path: Path) -> KnownContract:
    body = path.read_bytes()
    return KnownContract(parse_contract(body, path.name, BODY, "a"), parse_process(body, path.name), KNOWN.days)


CONTRACTS = tuple(contract(path) for path in sorted(PAPERS.glob("*.odcs.yaml")))
DECLARED = Papers((KNOWN,), CONTRACTS)
BY_HASH = {each.contract.sha256: each.contract for each in CONTRACTS}
P_RENEW, P_CARE, P_RESULT = (
    PurposeLine(
        code=each.code, iri=each.iri, text=each.text, legal_basis=each.legal_basis, basis_holder=each.basis_holder
    )
    for each in KNOWN.agreement.purposes
)
NEVER = PurposeLine(
    code="P-NEVER",
    iri="https://w3id.org/dpv#TargetedAdvertising",
    text={"nl": "Nooit afgesproken."},
    legal_basis="https://w3id.org/dpv/legal/eu/gdpr#A6-1-f",
    basis_holder="principal",
)
RIGHT = PurposeLine(
    code="right_of_access",
    iri="https://w3id.org/dpv#RightsFulfilment",
    text={"en": "Give a person a copy of their data."},
    legal_basis="https://w3id.org/dpv/legal/eu/gdpr#A6-1-c",
    basis_holder="principal",
)
WHAT = {
    FindingCode.ROLE_CONTESTABLE: "SEED_OWNER_NO_SIGN_OFF", FindingCode.MANDATORY_EMPTY: "email",
}  # fmt: skip
RETURN = next(each.contract for each in CONTRACTS if each.contract.direction is Direction.OUTBOUND_RETURN)


def seen_of(
    purposes: Sequence[PurposeLine],
    profiles: Sequence[tuple[str, RoleProfile]] = (("identity", RoleProfile.PRINCIPAL_CONTROLLER),),
    day: date = AT,
    **more: object,
) -> Sighting:
    """One exchange of energy01."""
    roles = tuple(SeenRole(group, profile.value, PROFILES[profile].controller) for group, profile in profiles)
    made = Sighting(
        "energy01", Direction.INBOUND, "renewal_campaign", day, day, "DPA-ENERGY01", "3.0.0", None, tuple(purposes),
        roles, tuple(SeenColumn(role.group, "https://w3id.org/dpv/pd#UID", "provided", None) for role in roles),
        "energy01", ("center",), ("Object Store BV",), ("BE", "NL"), False, (), None, 1, 1,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def both(papers: Papers, seen: Sequence[Sighting]) -> tuple[Row, ...]:
    """The rows of both registers."""
    return tuple(row for article in Article for row in rows_of(article, papers, seen, BY_HASH.get, AT, YEARS))


def covering(rows: Sequence[Row], use: Key, each: Sighting) -> int:
    """The number of rows that cover one use of an exchange."""
    return sum(row.key == use and any(one is each for one in row.seen) for row in rows)


def wrongly_covered(rows: Sequence[Row], seen: Sequence[Sighting]) -> list[str]:
    """Uses that are in no row or in several, and exchanges that have no use at all."""
    uses = {place: uses_of(each, BY_HASH.get(each.contract_sha256 or "")) for place, each in enumerate(seen)}
    wrong = [use.number for place, own in uses.items() for use in own if covering(rows, use, seen[place]) != 1]
    return wrong + [seen[place].flow for place, own in uses.items() if not own]


purposes = st.lists(st.sampled_from([P_RENEW, P_CARE, P_RESULT, NEVER]), unique_by=lambda each: each.code, max_size=3)
groups = st.lists(
    st.tuples(
        st.sampled_from(["identity", "contract", "disposition", "agent_ref", "note_free_text"]),
        st.sampled_from(list(RoleProfile)),
    ),
    unique_by=lambda each: each[0],
    max_size=4,
)
sightings = st.lists(
    st.builds(
        seen_of,
        purposes,
        groups,
        st.dates(date(2025, 1, 1), AT),
        contract_sha256=st.sampled_from([None, *BY_HASH]),
        agreement_id=st.sampled_from(["DPA-ENERGY01", "DPA-OTHER", None]),
        count=st.integers(1, 9),
    ),
    max_size=6,
)


def declared_of(papers: Papers, at: date, kept_years: int) -> dict[Key, Declared]:
    """What papers declare on a date, by key, in both registers."""
    rows = [row for article in Article for row in rows_of(article, papers, [], BY_HASH.get, at, kept_years)]
    return {row.key: row.declared for row in rows if row.declared}


@settings(max_examples=effort(60, 1_000))
@given(seen=sightings, papers=st.sampled_from([DECLARED, Papers((KNOWN,), ()), Papers((), ())]))
def test_every_use_of_every_exchange_is_in_exactly_one_row_and_a_purpose_never_declared_is_a_finding(
    seen: list[Sighting], papers: Papers
) -> None:
    rows = both(papers, seen)
    found = findings_of(rows, papers, CENTER)

    numbers = [(row.key.article, row.key.principal, row.key.number) for row in rows]
    assert len(numbers) == len(set(numbers))
    assert wrongly_covered(rows, seen) == []
    told = {each.what for each in found if each.code is FindingCode.PURPOSE_NOT_DECLARED}
    used = {use.purpose for each in seen for use in uses_of(each, BY_HASH.get(each.contract_sha256 or ""))}
    assert ("P-NEVER" in told) == ("P-NEVER" in used)
    for each in seen:
        if not each.purposes:
            assert FindingCode.NO_PURPOSE in {one.code for one in found if one.principal == each.principal}
    unseen = {each.number for each in found if each.code is FindingCode.DECLARED_NOT_SEEN}
    assert unseen == {row.key.number for row in rows if not row.seen}
    if rows:  # the check can fail: a row that is not there, and one that is there twice
        with_seen = [row for row in rows if row.seen]
        for row in with_seen[:1]:
            assert wrongly_covered([each for each in rows if each is not row], seen) != []
            assert wrongly_covered([*rows, row], seen) != []


def codes(seen: Sequence[Sighting], papers: Papers = DECLARED) -> set[tuple[FindingCode, str]]:
    rows = both(papers, seen)
    return {(each.code, each.what) for each in findings_of(rows, papers, CENTER) if each.exchanges}


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"recipients": ("center", "broker")}, (FindingCode.RECIPIENT_NOT_DECLARED, "broker")),
        ({"sub_processors": ("Another Cloud",)}, (FindingCode.RECIPIENT_NOT_DECLARED, "Another Cloud")),
        ({"countries": ("BE", "US")}, (FindingCode.COUNTRY_NOT_DECLARED, "US")),
        (
            {"columns": (SeenColumn("identity", "https://w3id.org/dpv/pd#Salary", "provided", None),)},
            (FindingCode.CATEGORY_NOT_DECLARED, "Salary"),
        ),
        (
            {"columns": (SeenColumn("identity", "https://w3id.org/dpv/pd#Health", "provided", None),)},
            (FindingCode.SPECIAL_NOT_DECLARED, "Health"),
        ),
        ({"purposes": (NEVER,)}, (FindingCode.PURPOSE_NOT_DECLARED, "P-NEVER")),
        ({"purposes": ()}, (FindingCode.NO_PURPOSE, "DPA-ENERGY01")),
        ({"last": date(2025, 12, 31)}, (FindingCode.PURPOSE_NOT_DECLARED, "P-RENEW")),
    ],
)
def test_what_was_seen_and_not_declared_is_a_finding(
    change: dict[str, object], finding: tuple[FindingCode, str]
) -> None:
    sound = seen_of([P_RENEW])

    assert codes([sound]) == set()
    assert finding in codes([sound, replace(sound, **change)])  # type: ignore[arg-type]


def test_an_answer_to_a_person_needs_no_purpose_of_an_agreement() -> None:
    handed = seen_of([RIGHT], direction=Direction.PORTABILITY_ACCESS)
    rows = both(DECLARED, [handed])
    [row] = [each for each in rows if each.seen]

    assert codes([handed]) == set() and row.is_of_the_law and row.key.purpose == "right_of_access"
    assert (FindingCode.PURPOSE_NOT_DECLARED, "right_of_access") in codes([seen_of([RIGHT])]), "of files it does"
    assert not any(each.is_of_the_law for each in both(DECLARED, [handed, seen_of([RIGHT])]))


def test_roles_that_can_be_contested_are_told_once_an_agreement_whatever_was_seen() -> None:
    rows = rows_of(Article.CONTROLLER, DECLARED, [], BY_HASH.get, AT, YEARS)
    told = [each for each in findings_of(rows, DECLARED, CENTER) if each.code is FindingCode.ROLE_CONTESTABLE]

    assert {each.what for each in told} == {"SEED_OWNER_NO_SIGN_OFF", "SEED_OWNER_NO_REVERSE_ART28"}
    assert len(told) == 2 and {each.number for each in told} == {"DPA-ENERGY01"}


def test_rows_stay_five_years_after_their_agreement_ended_and_a_new_version_does_not_end_them() -> None:
    ended = replace(KNOWN, days=Days(date(2019, 1, 1), date(2020, 3, 1)))
    newer = replace(KNOWN, days=Days(date(2020, 3, 2), None))
    at = {day: declared_of(Papers((ended,), CONTRACTS), day, YEARS) for day in (date(2025, 3, 1), date(2025, 3, 2))}

    assert {each.last for each in at[date(2025, 3, 1)].values()} == {date(2020, 3, 1)}
    assert at[date(2025, 3, 2)] == {}
    both_versions = declared_of(Papers((ended, newer), ()), date(2022, 1, 1), YEARS).values()
    assert {(each.first, each.last) for each in both_versions} == {(date(2019, 1, 1), None)}
    assert declared_of(Papers((newer,), ()), date(2020, 3, 1), YEARS) == {}


def test_a_row_that_is_over_goes_with_its_exchanges_and_its_old_ones_are_no_findings() -> None:
    papers = Papers((replace(KNOWN, days=Days(date(2018, 6, 1), date(2019, 12, 31))),), ())
    ours = (("agent_ref", RoleProfile.SEED_OWNER),)
    old = [seen_of([P_RENEW], day=date(2018, 9, 1)), seen_of([P_RESULT], ours, date(2018, 9, 1))]
    stray = seen_of([NEVER], day=date(2018, 9, 1))

    def rows(at: date, seen: Sequence[Sighting]) -> list[Row]:
        return [row for each in Article for row in rows_of(each, papers, seen, BY_HASH.get, at, YEARS)]

    def found(at: date, seen: Sequence[Sighting]) -> set[FindingCode]:
        return {each.code for each in findings_of(rows(at, seen), papers, CENTER) if each.exchanges}

    kept, gone = date(2024, 12, 31), date(2025, 1, 1)
    assert {row.key.purpose for row in rows(kept, old) if row.seen} == {"P-RENEW", "P-RESULT"}
    assert found(kept, old) == set() and FindingCode.PURPOSE_NOT_DECLARED in found(kept, [stray])
    assert rows(gone, [*old, stray]) == []
    later = seen_of([P_RENEW], day=date(2023, 9, 1))
    assert [row.exchanges for row in rows(gone, [*old, later]) if row.seen] == [2], "it did not end with its paper"
    assert found(gone, [*old, later]) == {FindingCode.PURPOSE_NOT_DECLARED}
    nowhere = seen_of([], agreement_id=None, day=date(2018, 9, 1))
    assert len(rows(gone, [nowhere])) == 1, "without an agreement nothing says that it ended"


def test_a_row_began_with_its_first_version_however_old_that_is() -> None:
    first = replace(KNOWN, days=Days(date(2018, 6, 1), date(2019, 12, 31)))
    papers = Papers((first, replace(KNOWN, days=Days(date(2020, 1, 1), None))), ())
    for at in (date(2024, 1, 1), date(2026, 1, 1)):
        assert {each.first for each in declared_of(papers, at, YEARS).values()} == {date(2018, 6, 1)}, at


SPRING, SUMMER = Days(date(2026, 3, 1), date(2026, 5, 31)), Days(date(2026, 6, 1), None)
NOTES = "note_free_text"


def succeeded() -> tuple[Known, KnownContract, KnownContract]:
    """An agreement without end from 2020; in spring a contract of returns, then one without notes from elsewhere."""
    first = next(each for each in CONTRACTS if each.contract is RETURN)
    fields = tuple(each for each in RETURN.fields if each.group.value != NOTES)
    contract = replace(RETURN, sha256="f" * 64, version="9.9.9", fields=fields)
    second = replace(first, contract=contract, process=replace(first.process, team="second"), days=SUMMER)
    return replace(KNOWN, days=Days(date(2020, 1, 1), None)), replace(first, days=SPRING), second


def days_of(papers: Papers, at: date) -> dict[str, tuple[date, date | None]]:
    """First and last day of every row of 30(1) that has a group, by group."""
    declared = declared_of(papers, at, YEARS)
    return {key.group: (each.first, each.last) for key, each in declared.items() if key.group}


def test_a_row_is_declared_on_the_days_of_its_agreement_on_which_a_contract_declares_it() -> None:
    known, first, second = succeeded()
    papers = Papers((known,), (first, second))
    began, over = date(2020, 1, 1), (SPRING.first, SPRING.last)

    before = days_of(papers, date(2026, 2, 28))
    assert before[NOTES] == before["disposition"] == (began, None), "the agreement alone"
    between = days_of(papers, date(2026, 4, 1))
    assert between[NOTES] == between["disposition"] == over
    after = days_of(papers, AT)
    assert after[NOTES] == over and after["disposition"] == (SPRING.first, None)
    last = date(2026 + YEARS, 5, 31)
    assert NOTES in days_of(papers, last) and NOTES not in days_of(papers, last + timedelta(days=1))
    assert "disposition" in days_of(papers, date(2033, 1, 1))
    assert days_of(Papers((replace(known, days=Days(began, date(2026, 4, 30))),), (first, second)), AT)[NOTES] == (
        SPRING.first,
        date(2026, 4, 30),
    ), "no longer than its agreement"
    assert days_of(Papers((known,), ()), AT)[NOTES] == (began, None), "control"


def test_a_row_says_what_the_contract_of_its_day_says_and_of_one_that_is_over_the_last() -> None:
    known, first, second = succeeded()
    declared = declared_of(Papers((known,), (first, second)), AT, YEARS)
    by_group = {key.group: each for key, each in declared.items() if key.group}

    assert by_group["disposition"].contracts == (second,) and by_group[NOTES].contracts == (first,)
    assert {field.group.value for field in by_group[NOTES].fields} == {NOTES}
    spring = declared_of(Papers((known,), (first, second)), date(2026, 4, 1), YEARS)
    assert [each.contracts for key, each in spring.items() if key.group == "disposition"] == [(first,)]


def test_a_row_whose_contract_was_given_up_goes_while_its_agreement_goes_on() -> None:
    known, first, _ = succeeded()
    papers, years = Papers((known,), (first,)), (2026 + YEARS, 2027 + YEARS)
    kept, gone = (
        {row.key.purpose for each in Article for row in rows_of(each, papers, [], BY_HASH.get, day, YEARS)}
        for day in (date(year, 1, 1) for year in years)
    )

    assert kept - gone == {"P-RENEW", "P-RESULT"} and gone == {"P-CARE"}, "the agreement alone declares the other"


def test_a_column_of_the_center_is_in_the_first_register_and_one_of_the_principal_in_the_second() -> None:
    columns = tuple(
        SeenColumn(field.group.value, field.category, field.origin.value, PROFILES[field.role_profile].controller)
        for field in RETURN.fields
    )
    seen = seen_of([P_RENEW, P_RESULT], contract_sha256=RETURN.sha256, columns=columns)

    uses = uses_of(seen, RETURN)

    assert {use.purpose for use in uses if use.article is Article.PROCESSOR} == {"P-RENEW"}
    assert {use.purpose for use in uses if use.article is Article.CONTROLLER} == {"P-RESULT"}
    assert {"disposition", "agent_ref"} <= {use.group for use in uses}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_column_has_a_label_a_cell_and_every_code_a_sentence(language: str, schemas: Path) -> None:
    own = Path(__file__).parents[2] / "include/sluice/registers/facts/art30-columns.csv"
    assert own.read_bytes() == (schemas / "register" / "art30-columns.csv").read_bytes()
    assert [len(columns_of(*each)) for each in (
        (Article.CONTROLLER, IDENTIFICATION), (Article.CONTROLLER, REGISTER), (Article.PROCESSOR, REGISTER),
    )] == [9, 28, 12]  # fmt: skip
    say = words(language)
    said = [finding_text(say, Article.CONTROLLER, Finding(code, "n", "p", WHAT.get(code, "x"))) for code in FindingCode]
    assert len(set(said)) == len(FindingCode) and not [text for text in said if "{" in text or text in set(FindingCode)]
    assert {duration_text(words("en"), each) for each in ("P1Y6M", "P90D")} == {"1 year and 6 months", "90 days"}


@pytest.mark.parametrize(
    ("group", "profile", "article"),
    [
        ("note_free_text", RoleProfile.SEED_OWNER, Article.CONTROLLER),
        ("note_free_text", RoleProfile.PROCESSOR_ON_BEHALF, Article.PROCESSOR),
        ("disposition", RoleProfile.SEED_OWNER, None),
        ("disposition", RoleProfile.PROCESSOR_ON_BEHALF, None),
    ],
)
def test_special_data_that_no_column_names_are_found_in_the_row_that_has_the_notes(
    group: str, profile: RoleProfile, article: Article | None
) -> None:
    others = (("agent_ref", RoleProfile.STAFF), ("identity", RoleProfile.PRINCIPAL_CONTROLLER))

    def found(special: bool, papers: Papers = DECLARED) -> list[tuple[str, str]]:
        seen = [seen_of([P_RENEW], ((group, profile), *others), special=special)]
        findings = findings_of(both(papers, seen), papers, CENTER)
        return [(each.number, each.what) for each in findings if each.code is FindingCode.SPECIAL_NOT_DECLARED]

    row = "DPA-ENERGY01/P-RENEW" + ("/note_free_text" if article is Article.CONTROLLER else "")
    assert found(special=True) == ([(row, "note_free_text")] if article else [])
    assert found(special=False) == [], "control"
    providing = replace(KNOWN, agreement=replace(KNOWN.agreement, special_categories=True))
    assert found(special=True, papers=Papers((providing,), CONTRACTS)) == [], "the agreement provides for them"
