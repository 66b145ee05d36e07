"""What cells say of others: whom the center decides with, and who works for it, where, and on what basis."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registers.test_rules import AT, BY_HASH, CENTER, CONTRACTS, KNOWN, P_RENEW, P_RESULT, RIGHT, YEARS, seen_of
from sluice.agreement.clauses.annexes import Known, KnownContract
from sluice.agreement.model import SubProcessor
from sluice.agreement.timeline import Days
from sluice.documents.words import LANGUAGES, words
from sluice.registers.columns import IDENTIFICATION, REGISTER
from sluice.registers.model import Article, Center, Papers, Register, Sighting
from sluice.registers.page import make_register_page
from sluice.registers.rules import rows_of
from sluice.registers.tables import tables_of
from sluice.terms import Direction, RoleProfile
from support.effort import effort

SCC, RULES = (f"https://w3id.org/dpv/legal/eu/gdpr#{name}" for name in ("A46-2-c", "A46-2-b"))
SAID = {basis: words("en").say(f"register.safeguard.{basis.rpartition('#')[2]}") for basis in (SCC, RULES)}
UNITED_STATES, INDIA = (words("en").locale.territories[code] for code in ("US", "IN"))
JOINT, OURS = ((("disposition", profile),) for profile in (RoleProfile.JOINT, RoleProfile.SEED_OWNER))
STAFF_AND_RESULT = (("disposition", RoleProfile.SEED_OWNER), ("agent_ref", RoleProfile.STAFF))


def register(
    article: Article,
    known: Known = KNOWN,
    seen: Iterable[Sighting] = (),
    at: date = AT,
    center: Center = CENTER,
    contracts: tuple[KnownContract, ...] = CONTRACTS,
) -> Register:
    rows = rows_of(article, Papers((known,), contracts), list(seen), BY_HASH.get, at, YEARS)
    return Register(article, at, datetime(2026, 11, 26, 12, tzinfo=UTC), center, rows, (), 0)


def cells(found: Register, column: str, tab: str = REGISTER) -> set[str]:
    """The texts that the rows of a register have in one column."""
    [table] = [each for each in tables_of(found, "en") if each.name == tab]
    return {row[table.keys.index(column)] for row in table.rows}


def working(*parts: SubProcessor, last: date | None = None) -> Known:
    """The agreement with these sub-processors and no others, in force until a last day."""
    days = Days(date(2020, 1, 1), last)
    return replace(KNOWN, agreement=replace(KNOWN.agreement, sub_processors=parts), days=days)


def cloud(
    name: str = "Cloud", country: str = "US", basis: str | None = SCC, *, first: int = 2020, last: int | None = None
) -> SubProcessor:
    return SubProcessor(name, (country,), basis, date(first, 1, 1), date(last, 12, 31) if last else None)


@pytest.mark.parametrize(("profiles", "is_said"), [(JOINT, True), (OURS, False)])
def test_whom_the_center_decides_with_stands_in_the_register_with_name_and_contact(
    profiles: tuple[tuple[str, RoleProfile], ...], is_said: bool
) -> None:
    """By an exchange alone: no contract of this agreement declares it."""
    found = register(Article.CONTROLLER, seen=[seen_of([P_RENEW], profiles)])

    [said] = cells(found, "jointController", IDENTIFICATION)
    party = KNOWN.annexes.controllers[0]
    parts = (party.name, party.address, party.email)
    assert all(parts), "control: the paper says them"
    assert [part in said for part in parts if part] == [is_said] * len(parts)
    assert bool(said) is is_said


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_to_a_person_is_said_to_be_a_duty_of_the_law(language: str) -> None:
    handed = seen_of([RIGHT], direction=Direction.PORTABILITY_ACCESS)
    say, found = words(language), register(Article.PROCESSOR, seen=[handed])
    tables = {table.name: table for table in tables_of(found, language)}
    [row] = [row for row in tables[REGISTER].rows if "right_of_access" in " ".join(row)]
    [seen] = [row for row in tables["seen"].rows if row[0].endswith("right_of_access")]

    assert say.say("register.undeclared.law") in " ".join(row) and say.say("register.law") in seen
    files = register(Article.PROCESSOR, seen=[handed, seen_of([RIGHT])])
    assert say.say("register.undeclared.law") not in " ".join(cells(files, "processingCategories"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_principal_relies_on_no_basis_for_our_own_staff(language: str) -> None:
    purposes = tuple(replace(each, basis_holder="principal") for each in KNOWN.agreement.purposes)
    theirs, say = replace(KNOWN, agreement=replace(KNOWN.agreement, purposes=purposes)), words(language)

    def bases(known: Known) -> dict[str, str]:
        [table] = [each for each in tables_of(register(Article.CONTROLLER, known), language) if each.name == REGISTER]
        place, number = (table.keys.index(name) for name in ("legalBasis", "processingNumber"))
        return {row[number].rpartition("/")[2]: row[place] for row in table.rows}

    assert say.say("party.center") in bases(KNOWN)["agent_ref"], "control: here the agreement names our own"
    assert bases(theirs)["agent_ref"] == say.say("register.basis.staff")
    assert say.say("party.principal") in bases(theirs)["disposition"], "what the agreement says of customers stays"


def test_a_register_counts_the_exchanges_of_its_own_rows_once() -> None:
    came, back = seen_of([P_RENEW], count=14), seen_of([P_RESULT, P_RENEW], STAFF_AND_RESULT, count=9)
    ours, theirs = (register(each, seen=[came, back]) for each in (Article.CONTROLLER, Article.PROCESSOR))

    assert len([row for row in ours.rows if row.seen]) > 1, "one exchange is in several rows"
    assert (ours.exchanges, theirs.exchanges) == (9, 14)
    for language in LANGUAGES:
        [notice] = make_register_page(ours, language).notices
        said = words(language).say("register.counts", rows=str(len(ours.rows)), exchanges="9")
        assert said in notice.sentences


def test_whom_a_contract_declares_as_joint_controller_stands_there_before_any_exchange() -> None:
    def made(profile: RoleProfile) -> tuple[KnownContract, ...]:
        fields = [tuple(replace(each, role_profile=profile) for each in one.contract.fields) for one in CONTRACTS]
        return tuple(
            replace(one, contract=replace(one.contract, fields=own)) for one, own in zip(CONTRACTS, fields, strict=True)
        )

    said = [
        cells(register(Article.CONTROLLER, contracts=made(profile)), "jointController", IDENTIFICATION)
        for profile in (RoleProfile.JOINT, RoleProfile.SEED_OWNER)
    ]

    assert KNOWN.annexes.controllers[0].name in str(said[0]) and said[1] == {""}


def test_a_joint_controller_that_no_paper_names_is_said_by_its_code() -> None:
    unknown = seen_of([P_RENEW], JOINT, agreement_id="DPA-OTHER")

    assert cells(register(Article.CONTROLLER, seen=[unknown]), "jointController", IDENTIFICATION) == {"energy01"}


@pytest.mark.parametrize(
    ("name", "email", "said"),
    [
        ("An Peeters", "dpo@center.example", "An Peeters, dpo@center.example"),
        ("An Peeters", None, "An Peeters"),
        (None, "dpo@center.example", "dpo@center.example"),
        (None, None, ""),
    ],
)
def test_the_data_protection_officer_is_said_with_name_and_address(
    name: str | None, email: str | None, said: str
) -> None:
    center = replace(CENTER, party=replace(CENTER.party, dpo_name=name, dpo_email=email))

    assert cells(register(Article.CONTROLLER, center=center), "dpoName", IDENTIFICATION) == {said}


YEAR = st.integers(2020, 2028)
CLOUDS = st.lists(
    st.builds(
        cloud,
        st.sampled_from(["Cloud", "Other", "Third"]),
        st.sampled_from(["US", "IN", "NL"]),
        st.sampled_from([SCC, RULES, None]),
        first=YEAR,
        last=st.none() | YEAR,
    ),
    max_size=5,
)


@settings(max_examples=effort(60, 1_000))
@given(parts=CLOUDS, at=st.dates(date(2020, 1, 1), date(2028, 12, 31)), last=st.none() | st.integers(2024, 2028))
def test_who_works_for_the_center_on_the_day_of_the_register_is_in_it_and_nobody_else(
    parts: Sequence[SubProcessor], at: date, last: int | None
) -> None:
    """Of an agreement that is over, who did on its last day: its rows stay five years more."""
    ended = date(last, 12, 31) if last else None
    on = min(at, ended or at)
    there = [each for each in parts if each.valid_from <= on and (each.valid_to is None or on <= each.valid_to)]
    abroad = [each for each in there if "NL" not in each.countries]

    second = register(Article.PROCESSOR, working(*parts, last=ended), at=at)

    names = dict.fromkeys(f"{each.name} ({each.countries[0]})" for each in there)
    assert cells(second, "subProcessors") == {"; ".join(names)}
    [countries], [safeguards] = cells(second, "thirdCountry"), cells(second, "safeguards")
    places = {"US": UNITED_STATES, "IN": INDIA}
    assert {code for code, word in places.items() if word in countries} == {each.countries[0] for each in abroad}
    assert {basis for basis, word in SAID.items() if word in safeguards} == {
        each.transfer_basis for each in abroad if each.transfer_basis
    }
    for said in cells(register(Article.CONTROLLER, working(*parts, last=ended), at=at), "recipientCategory"):
        assert set(said.split("; ")) == {"energy01", *KNOWN.agreement.recipients, *(each.name for each in there)}


def test_what_stays_inside_names_no_principal_and_no_recipient_of_the_agreement() -> None:
    """Only those who work for the center have it. Where it goes back, or came from the principal, both are named."""
    agreement = replace(KNOWN.agreement, recipients=("broker",), sub_processors=(cloud(), cloud("Past", last=2021)))
    named, inside = replace(KNOWN, agreement=agreement), {Direction.INTERNAL}

    def said(directions: set[Direction], *seen: Sighting, known: Known = named) -> set[str]:
        own = tuple(each for each in CONTRACTS if each.contract.direction in directions)
        found = register(Article.CONTROLLER, known, seen, contracts=own)
        rows = [row for row in found.rows if row.key.group == "disposition" and row.key.purpose == "P-RESULT"]
        assert len(rows) == 1, "control: the group is there"
        return cells(replace(found, rows=tuple(rows)), "recipientCategory")

    ours = (("disposition", RoleProfile.SEED_OWNER),)
    assert (
        said(inside)
        == said(inside, seen_of([P_RESULT], ours, direction=Direction.INTERNAL, sub_processors=()))
        == {"Cloud"}
    )
    everybody = {"energy01; broker; Cloud"}
    assert said({Direction.OUTBOUND_RETURN}) == said({*inside, Direction.OUTBOUND_RETURN}) == everybody
    for way in (Direction.OUTBOUND_RETURN, Direction.INBOUND):
        assert said(inside, seen_of([P_RESULT], ours, direction=way, sub_processors=())) == everybody, way
    alone = replace(named, agreement=replace(agreement, sub_processors=()))
    assert said(inside, known=alone) == {words("en").say("register.recipients.none")}, "the law asks for the cell"


def test_two_in_one_country_on_two_bases_are_both_said() -> None:
    both = register(Article.PROCESSOR, working(cloud(), cloud("Other", basis=RULES)))

    assert cells(both, "thirdCountry") == {UNITED_STATES}
    assert cells(both, "safeguards") == {"; ".join(sorted(SAID.values()))}
    assert cells(register(Article.PROCESSOR, working(cloud())), "safeguards") == {SAID[SCC]}, "control"


def test_a_transfer_that_exchanges_had_keeps_its_basis_when_who_worked_there_is_gone() -> None:
    """Also where the same sub-processor works there today on another one."""
    today = cloud(basis=RULES, first=2025)
    then = seen_of([P_RENEW], day=date(2021, 6, 1), sub_processors=("Cloud",), countries=("BE", "US"))
    now = replace(then, first=AT, last=AT)

    def of(*seen: Sighting, beside: SubProcessor = today) -> set[str]:
        found = register(Article.PROCESSOR, working(cloud(last=2021), beside), seen)
        places = [place for place, row in enumerate(found.rows) if row.seen]
        [table] = [each for each in tables_of(found, "en") if each.name == REGISTER]
        return {table.rows[place][table.keys.index("safeguards")] for place in places}

    assert of(then) == of(then, now) == {"; ".join(sorted(SAID.values()))}
    assert of(now) == {SAID[RULES]}, "control"
    assert of(then, beside=cloud("Other", basis=RULES, last=2021)) == {SAID[SCC]}, "the exchange did not have the other"


def test_a_principal_that_receives_outside_the_eea_is_said_before_the_first_return() -> None:
    """GDPR Art. 30(1)(e), (2)(c): of every row whose data goes back to it, and of no other one."""
    delivery = replace(KNOWN.agreement.delivery, country="US", transfer_basis=SCC)
    agreement = replace(KNOWN.agreement, sub_processors=(), delivery=delivery)
    abroad = replace(KNOWN, agreement=agreement)

    def said(known: Known, *ways: Direction) -> set[tuple[str, str, str]]:
        own = tuple(each for each in CONTRACTS if each.contract.direction in ways)
        found = register(Article.CONTROLLER, known, contracts=own)
        rows = tuple(row for row in found.rows if row.key.group == "disposition" and row.key.purpose == "P-RESULT")
        assert len(rows) == 1, "control: the group is there"
        [table] = [each for each in tables_of(replace(found, rows=rows), "en") if each.name == REGISTER]
        names = ("thirdCountry", "transferNature", "safeguards")
        return {tuple(row[table.keys.index(name)] for name in names) for row in table.rows}  # type: ignore[misc]

    none = (words("en").say("register.transfer.none"), "", "")
    back = (UNITED_STATES, words("en").say(f"register.transfer.{agreement.transfers_outside_eea}"), SAID[SCC])
    assert said(abroad, Direction.OUTBOUND_RETURN, Direction.INTERNAL) == {back}
    assert said(abroad, Direction.INTERNAL) == {none}, "what stays here"
    assert said(replace(KNOWN, agreement=replace(agreement, delivery=KNOWN.agreement.delivery)), *Direction) == {none}
