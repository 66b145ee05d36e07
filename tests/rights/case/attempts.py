"""An attempt at each step of a case whose guards all hold, and ways to change one thing of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sluice.rights.case.clock import DueDates
from sluice.rights.case.guards import Attempt
from sluice.rights.case.model import (
    Action,
    Actor,
    Case,
    CaseId,
    Instruction,
    Letter,
    LetterKind,
    Order,
    Remedies,
    Right,
    Role,
    State,
    SubCase,
    SubCaseId,
    Track,
)
from sluice.rights.case.reasons import iri
from sluice.rights.case.transitions import Transition
from sluice.terms import Principal, Sha256

SHA = "ab" * 32
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
LEGAL = iri("A17LegallyRequired")
CASE_ID, PART_ID, OTHER_ID = CaseId("c" * 8), SubCaseId("p" * 8), SubCaseId("q" * 8)
REASONS = {
    State.ID_PENDING: iri("A12IdentityRequired"),
    State.ID_FAILED: iri("A12IdentityFailure"),
    State.EXTENDED: iri("A12Complexity"),
    State.REFUSED: LEGAL,
    State.PARTIAL: LEGAL,
}


def part_of(track: Track, state: State) -> SubCase:
    return SubCase(
        sub_case_id=PART_ID,
        case_id=CASE_ID,
        principal="energy01",
        agreement_id="DPA-ENERGY01",
        agreement_version="3.0.0",
        controller="principal" if track is Track.PROCESSOR else "center",
        track=track,
        field_groups=("identity", "callback"),
        chain="DPA-ENERGY01",
        state=state,
        may_answer=True,
        told_at=NOW - timedelta(days=3),
        action=Action.ERASE,
        action_fields=("identity", "callback"),
    )


def letter_of(kind: LetterKind, **changes: object) -> Letter:
    """A letter about the part, in the person's language, as it was logged."""
    letter = Letter(
        case_id=CASE_ID,
        kind=kind,
        scope="case",
        language="fr",
        sub_cases=(PART_ID,),
        sha256=Sha256(SHA),
        document_sha256=Sha256(SHA),
        template="letter-1",
        written_at=NOW,
        bucket="vault",
        key="k.pdf.age",
        version_id="1",
        document_key="k.json.age",
        document_version_id="1",
    )
    return replace(letter, **changes)  # type: ignore[arg-type]


def refused(part: SubCase) -> SubCase:
    """A part that comes to be answered: refused whole, or partly where something was done."""
    if part.state is State.RECIPIENTS_NOTIFIED:
        return replace(part, action_fields=("identity",))
    return replace(part, action=Action.REFUSE)


def names_of(row: Transition) -> set[str]:
    return {guard.__name__ for guard in row.guards}


def passing(row: Transition) -> Attempt:
    """An attempt at this step that every guard lets pass."""
    part = None if row.track is Track.CASE else part_of(row.track, row.source or State.SCOPED)
    if part and row.target is State.ANSWERED:
        part = refused(part)
    names = names_of(row)
    is_again = "was_to_be_taken_along" in names
    is_vain = "was_to_be_given_to_the_person" in names
    if part and is_vain:
        part = replace(part, action=Action.GIVE)
    if part and is_again:
        part = replace(part, action=Action.EXPORT)
    over = replace(part_of(Track.CONTROLLER, State.CLOSED), sub_case_id=OTHER_ID)
    case = Case(
        case_id=CASE_ID,
        right=Right.ERASURE,
        state=(row.source or State.RECEIVED) if part is None else State.SCOPED,
        persons=1,
        principal=None,
        channel="letter",
        language="fr",
        country="BE",
        opened_at=NOW,
        due=DueDates(date(2026, 11, 25), date(2026, 12, 25), date(2026, 12, 28), date(2027, 2, 25)),
        subject_bucket="vault",
        subject_key="_cases/c/subject.age",
        subject_sha256=Sha256(SHA),
        has_failed_identity=is_vain,
        sub_cases=(part,) if part else (over,),
        letters=(letter_of(LetterKind.EXTENSION), letter_of(LetterKind.REFUSAL, opened_at=NOW)),
    )
    role = next(each for each in (Role.DESK, Role.PRINCIPAL, Role.SYSTEM) if each in row.by)
    every = ("identity", "callback")
    groups = every if is_again else {State.REFUSED: every, State.PARTIAL: ("identity",)}.get(row.target, ())
    order = Order(
        Actor(role, "energy01"),
        NOW,
        REASONS[State.ID_FAILED] if is_vain else REASONS.get(row.target, "AS_ASKED"),
        SHA,
        reasons=dict.fromkeys(groups, LEGAL),
        remedies=Remedies("remedies.be", "fr"),
        instruction=Instruction(PART_ID, Principal("energy01"), Action.ERASE, True),
        action=Action.ERASE,
        residue=0,
        untold=0,
        is_protected=True,
    )
    return Attempt(case, order, part)


def with_order(**changes: object) -> Callable[[Attempt], Attempt]:
    return lambda a: replace(a, order=replace(a.order, **changes))  # type: ignore[arg-type]


def with_case(**changes: object) -> Callable[[Attempt], Attempt]:
    return lambda a: replace(a, case=replace(a.case, **changes))  # type: ignore[arg-type]


def with_part(**changes: object) -> Callable[[Attempt], Attempt]:
    def change(attempt: Attempt) -> Attempt:
        assert attempt.part is not None
        return replace(attempt, part=replace(attempt.part, **changes))  # type: ignore[arg-type]

    return change


def with_instruction(**changes: object) -> Callable[[Attempt], Attempt]:
    def change(attempt: Attempt) -> Attempt:
        assert attempt.order.instruction is not None
        told = replace(attempt.order.instruction, **changes)  # type: ignore[arg-type]
        return replace(attempt, order=replace(attempt.order, instruction=told))

    return change


def with_letters(**changes: object) -> Callable[[Attempt], Attempt]:
    """Change every letter of the case in the same way."""
    return lambda a: with_case(letters=tuple(replace(each, **changes) for each in a.case.letters))(a)  # type: ignore[arg-type]


UNTOLD = [
    with_case(letters=()),
    with_letters(sub_cases=(OTHER_ID,)),
    with_letters(language="nl"),
    with_letters(kind=LetterKind.RECEIPT),
]
"""No letter, one about another part, one in a language the person did not ask for, one that says something else."""


def by(role: Role, name: str = "energy01") -> Callable[[Attempt], Attempt]:
    return with_order(actor=Actor(role, name))


UNFOUNDED = dict.fromkeys(("identity", "callback"), iri("A12ManifestlyUnfounded"))
