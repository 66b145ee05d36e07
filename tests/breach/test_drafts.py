"""What each draft tells of: of our own data as controller, of that of a principal as processor, never both in one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from breach.test_rules import AWARE, ENERGY, TELECOM
from sluice.agreement import dpv
from sluice.agreement.roles.profiles import PROFILES
from sluice.breach.model import Counted, Draft, Line, PrincipalPart, Risk, Scope, Slice
from sluice.breach.page import drafts_of, make_draft, summary_of
from sluice.breach.rules import duties_of
from sluice.breach.write import text_of
from sluice.documents.model import LetterPage, Pair
from sluice.documents.words import LANGUAGES, words
from sluice.rights.case.facts import clock_parameters
from sluice.terms import FieldGroup, RoleProfile
from support.effort import effort
from support.golden import same_as_golden

PAPERS = (ENERGY, TELECOM)
DUE = AWARE + timedelta(hours=72)
OF_STAFF = {"agent_ref", "handling_times", "qa_score"}
OURS = {RoleProfile.SEED_OWNER, RoleProfile.INDEPENDENT, RoleProfile.JOINT, RoleProfile.STAFF}
SAY = words("en").say


def line(group: str, profile: RoleProfile, category: str = "Name") -> Line:
    return Line(group, dpv.PD + category, PROFILES[profile].controller, profile.value, False)


NAME, AGENT = line("identity", RoleProfile.PROCESSOR_ON_BEHALF), line("agent_ref", RoleProfile.STAFF, "EmployeeID")


def sliced(*lines: Sequence[Line], made_at: datetime = AWARE, persons: int = 7) -> Slice:
    """A part of as many persons more for every agreement, and its lines."""
    parts = tuple(
        PrincipalPart(
            paper.agreement.principal, paper, ("a1b2",), (), Counted(persons + place, 9, 2), tuple(own), (), ()
        )
        for place, (paper, own) in enumerate(zip(PAPERS, lines, strict=False))
    )
    due = duties_of(parts, "center", AWARE, Risk.HIGH, clock_parameters(AWARE.date()))
    scope = Scope("exchange", "a1b2")
    return Slice(scope, AWARE, Risk.HIGH, ENERGY.annexes.processors[0], parts, due, made_at)


def pages(found: Slice, language: str = "en") -> dict[tuple[Draft, str | None], LetterPage]:
    return {
        (draft, part.principal if part else None): make_draft(found, draft, part, language)
        for draft, part in drafts_of(found)
    }


def fact(pairs: Iterable[Pair], name: str) -> str | None:
    return next((pair.value.words for pair in pairs if pair.label == SAY(f"breach.{name}")), None)


def facts(page: LetterPage) -> Iterator[Pair]:
    return (pair for section in page.parts for pair in section.facts)


def told(pairs: Iterable[Pair], name: str = "categories") -> set[str]:
    return set((fact(pairs, name) or "").split(", ")) - {""}


def drawn(one: tuple[str, RoleProfile], number: Iterator[int]) -> Line:
    """A line with a category of its own, which has no words: drafts say its name."""
    return line(*one, category=f"Kind{next(number)}")


LINES = st.lists(
    st.tuples(st.sampled_from([group.value for group in FieldGroup]), st.sampled_from(list(RoleProfile))), max_size=5
)


def by_hand(parts: Sequence[PrincipalPart]) -> dict[tuple[Draft, str | None], set[str]]:
    """Categories of every draft that there is: from the role profiles as domain.md says them."""
    ours = {part.principal: [each for each in part.lines if each.profile in OURS] for part in parts}
    staff = {
        name: [each for each in own if each.group in OF_STAFF or each.profile == "STAFF"] for name, own in ours.items()
    }
    every = [each for own in ours.values() for each in own]
    found = {(Draft.AUTHORITY, None): every, (Draft.PERSONS, None): [each for own in staff.values() for each in own]}
    for part in parts:
        name = part.principal
        found[Draft.CONTROLLER, name] = [each for each in part.lines if each.profile != "STAFF"]
        found[Draft.PERSONS, name] = [each for each in ours[name] if each not in staff[name]]
    said = {draft: {dpv.short(each.category) for each in own} for draft, own in found.items() if own}
    return said | {(Draft.CONTROLLER, part.principal): {"\N{EN DASH}"} for part in parts if not part.lines}


@settings(max_examples=effort(80, 2_000))
@given(st.tuples(LINES, LINES))
def test_each_draft_tells_of_the_data_that_its_sender_answers_for_and_of_no_other(
    groups: tuple[list[tuple[str, RoleProfile]], list[tuple[str, RoleProfile]]],
) -> None:
    number = count()
    found = sliced(*([drawn(each, number) for each in own] for own in groups))

    made = pages(found)

    assert {draft: told(facts(page)) for draft, page in made.items()} == by_hand(found.parts)
    whole = [told(pairs) - {"\N{EN DASH}"} for _, pairs in summary_of(found, "en").parts]
    assert whole == [{dpv.short(each) for each in part.categories} for part in found.parts], "the check can fail"
    form = made.get((Draft.AUTHORITY, None))
    if form:
        _is_of_whom_it_says(form, found.parts)


def _is_of_whom_it_says(form: LetterPage, parts: Sequence[PrincipalPart]) -> None:
    """Customers where we decide of something of theirs, staff uncounted, and who decides of the rest."""
    ours = [(part, each) for part in parts for each in part.lines if each.profile in OURS]
    of_staff = [each.group in OF_STAFF or each.profile == "STAFF" for _, each in ours]
    customers = {
        part.principal: part.counted.persons for (part, _), staff in zip(ours, of_staff, strict=True) if not staff
    }
    assert fact(facts(form), "persons") == (str(sum(customers.values())) if customers else None)
    assert fact(facts(form), "staff") == (SAY("breach.staff.fill") if any(of_staff) else None)
    papers = [part.known for part in parts if part.known and part.principal in customers]
    subjects = {SAY(f"register.subject.{dpv.short(iri)}") for each in papers for iri in each.annexes.subject_categories}
    assert told(facts(form), "subjects") == subjects | ({SAY("register.subject.Employee")} if any(of_staff) else set())
    rest = [part for part in parts if {each.profile for each in part.lines} - OURS]
    names = ", ".join(sorted(part.known.agreement.principal_name for part in rest if part.known))
    assert (SAY("breach.processor", names=names) in text_of(form)) is bool(rest)


def counted(*how: object) -> Slice:
    """A breach of names at energy01 of which so much was counted."""
    found = sliced([NAME])
    return replace(found, parts=(replace(found.parts[0], counted=Counted(*how)),))  # type: ignore[arg-type]


def test_drafts_are_those_that_were_looked_at() -> None:
    """Agents beside customers; made in time, a second late; rows that were removed, that nobody reads, and both."""
    late = sliced([NAME, AGENT], made_at=DUE + timedelta(seconds=1))
    every = {
        "in time": sliced([NAME, AGENT], made_at=DUE),
        "late": late,
        "removed": counted(309, 309, 0, (), 71, 71),
        "unread": counted(0, 0, 0, ("return a1b2",), 4),
        "both": counted(309, 309, 0, ("return a1b2",), 90, 1),
    }
    for language in LANGUAGES:
        made = {kind: pages(found, language) for kind, found in every.items()}
        heading = words(language).say("breach.delay.heading")
        asking = [key for drafts in made.values() for key, page in drafts.items() if heading in text_of(page)]
        assert asking == [(Draft.AUTHORITY, None)], "a form that is late, and no letter or text: Art. 33(1) alone"
        texts = (
            f"== {kind}: {draft} {name or '-'}\n{text_of(page)}"
            for kind, drafts in made.items()
            for (draft, name), page in drafts.items()
        )
        text = "\n".join(texts)
        assert "{" not in text and "breach." not in text
        same_as_golden(Path(__file__).parent / "golden" / f"drafts.{language}.txt", text)


def test_persons_are_of_the_categories_of_every_agreement_that_says_something_of_them() -> None:
    patients = replace(ENERGY, annexes=replace(ENERGY.annexes, subject_categories=(dpv.DPV + "Patient",)))
    found = sliced([NAME])
    both = replace(found, parts=(replace(found.parts[0], also_under=(patients,)),))

    alone, together = (told(facts(pages(each)[Draft.CONTROLLER, "energy01"]), "subjects") for each in (found, both))

    assert together - alone == {SAY("register.subject.Patient")} and alone < together
