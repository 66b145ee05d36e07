"""Facts of letters as a case gives them: invented companies, every kind, short and at its longest."""

from dataclasses import replace
from datetime import UTC, date, datetime

from sluice.rights.case.clock import DueDates
from sluice.rights.case.model import Action, Case, CaseId, LetterKind, Right, State, SubCase, SubCaseId, Track
from sluice.rights.case.reasons import iri
from sluice.rights.letters.model import LetterFacts, PartFacts, Proof, Sender
from sluice.terms import FieldGroup, Sha256

CASE = CaseId("5b1f0c2e-6c36-4f0e-9f6c-1d2a3b4c5d6e")
OURS, THEIRS = SubCaseId("0a6d1f4e-1111-4f0e-9f6c-1d2a3b4c5d6e"), SubCaseId("0b7e2f5e-2222-4f0e-9f6c-1d2a3b4c5d6e")
JOINT = SubCaseId("0c8f3f6e-3333-4f0e-9f6c-1d2a3b4c5d6e")
WRITTEN_ON = date(2026, 12, 1)
GROUPS = (
    FieldGroup.CALL_EVENT,
    FieldGroup.DISPOSITION,
    FieldGroup.CALLBACK,
    FieldGroup.NOTE_FREE_TEXT,
    FieldGroup.SURVEY,
    FieldGroup.RECORDING_REF,
    FieldGroup.ORDER_RESULT,
    FieldGroup.AGENT_REF,
)
"""Eight field groups: the longest refusal of one part."""
EIGHT_REASONS = dict(
    zip(
        GROUPS,
        map(
            iri,
            (
                "A17LegallyRequired",
                "A17LegalClaims",
                "A17FreedomOfExpression",
                "A17PublicHealth",
                "A17Archiving",
                "A12ManifestlyUnfounded",
                "A12LackOfIntent",
                "A12MaliciousIntent",
            ),
        ),
        strict=True,
    )
)
SENDER = Sender("Contact Center NV", "Voorbeeldlaan 2, 9000 Gent, privacy@center.example")


def a_part(state: State, action: Action | None = None, sub_case_id: SubCaseId = OURS, **changes: object) -> SubCase:
    """The part of energy01 that the center decides; ``action`` on all of it unless ``action_fields`` says less."""
    part = SubCase(
        sub_case_id=sub_case_id,
        case_id=CASE,
        principal="energy01",
        agreement_id="DPA-ENERGY01",
        agreement_version="3.0.0",
        controller="center",
        track=Track.CONTROLLER,
        field_groups=GROUPS,
        chain="DPA-ENERGY01",
        state=state,
        may_answer=False,
        action=action,
        action_fields=GROUPS if action else (),
    )
    return replace(part, **changes)  # type: ignore[arg-type]


FORWARDED = a_part(
    State.AWAITING_INSTRUCTION,
    sub_case_id=THEIRS,
    track=Track.PROCESSOR,
    controller="principal",
    field_groups=(FieldGroup.IDENTITY, FieldGroup.CONTACT_POINT),
    forwarded_at=datetime(2026, 11, 25, 23, 30, tzinfo=UTC),
)
"""The part that energy01 decides and answers itself; in Brussels it was forwarded on the 26th."""


def a_case(*parts: SubCase, right: Right = Right.ERASURE, state: State = State.SCOPED, **changes: object) -> Case:
    """A case received on 25 November 2026."""
    case = Case(
        case_id=CASE,
        right=right,
        state=state,
        persons=1,
        principal=None,
        channel="letter",
        language="nl",
        country="BE",
        opened_at=datetime(2026, 11, 25, 12, tzinfo=UTC),
        due=DueDates(date(2026, 11, 25), date(2026, 12, 25), date(2026, 12, 28), date(2027, 2, 25)),
        subject_bucket="vault",
        subject_key="_cases/c/subject.age",
        subject_sha256=Sha256("ab" * 32),
        searched=("bank01", "energy01", "telecom01"),
        sub_cases=parts,
    )
    return replace(case, **changes)  # type: ignore[arg-type]


def facts_of(case: Case, kind: LetterKind, language: str, *told: PartFacts, **changes: object) -> LetterFacts:
    """``told``: what the letter is about; the other parts of the case are known by their company only."""
    others = tuple(PartFacts(part, "Energy One NV") for part in case.sub_cases if part not in [e.part for e in told])
    about = tuple(each.part.sub_case_id for each in told)
    facts = LetterFacts(case, kind, language, WRITTEN_ON, SENDER, (*told, *others), about)
    return replace(facts, **changes)  # type: ignore[arg-type]


def a_receipt(language: str, right: Right = Right.ERASURE) -> LetterFacts:
    case = a_case(a_part(State.SCOPED), FORWARDED, right=right, state=State.RECEIVED)
    return facts_of(case, LetterKind.RECEIPT, language)


def an_extension(language: str) -> LetterFacts:
    part = a_part(State.EXTENDED, extended_at=datetime(2026, 12, 1, 9, tzinfo=UTC))
    told = PartFacts(part, "Energy One NV", delay=iri("A12Complexity"))
    return facts_of(a_case(part, FORWARDED), LetterKind.EXTENSION, language, told)


def a_refusal(language: str, reasons: dict[FieldGroup, str] | None = None) -> LetterFacts:
    """At its longest unless ``reasons`` says less: eight field groups, each for a reason of its own."""
    given = EIGHT_REASONS if reasons is None else reasons
    kept = tuple(group for group in GROUPS if group not in given)
    part = a_part(State.PARTIAL, Action.ERASE, action_fields=kept) if kept else a_part(State.REFUSED, Action.REFUSE)
    told = PartFacts(part, "Energy One NV", reasons=dict(given), remedies_ref="remedies.be")
    return facts_of(a_case(part, FORWARDED), LetterKind.REFUSAL, language, told)


def a_completion(language: str) -> LetterFacts:
    """Two parts erased, one group of the first refused, the other decided together; five recipients."""
    part = a_part(State.RECIPIENTS_NOTIFIED, Action.ERASE, action_fields=GROUPS[:-1])
    proof = Proof("energy01.9f3c1d20ab54e6f1", removed=7, scanned=41)
    first = PartFacts(part, "Energy One NV", {GROUPS[-1]: iri("A17LegallyRequired")}, "remedies.be", proof=proof)
    joint = a_part(
        State.ANSWERED, Action.ERASE, JOINT, principal="telecom01", controller="joint", field_groups=GROUPS[:2],
        action_fields=GROUPS[:2],
    )  # fmt: skip
    second = PartFacts(joint, "Télécom Deux SA", proof=Proof("telecom01.00ab12cd34ef5678", removed=1, scanned=12))
    names = ("Energy One NV", "Object Store BV", "Print & Post NV", "Télécom Deux SA", "Vendor of Vendors BV")
    return facts_of(a_case(part, joint, FORWARDED), LetterKind.COMPLETION, language, first, second, recipients=names)


def a_lifting(language: str) -> LetterFacts:
    """Of one part that was restricted."""
    part = a_part(State.CLOSED, Action.RESTRICT, action_fields=GROUPS)
    told = PartFacts(part, "Energy One NV", remedies_ref="remedies.be")
    return facts_of(a_case(part, FORWARDED, right=Right.RESTRICTION), LetterKind.LIFTING, language, told)


SAMPLES = {
    LetterKind.RECEIPT: a_receipt,
    LetterKind.EXTENSION: an_extension,
    LetterKind.REFUSAL: a_refusal,
    LetterKind.COMPLETION: a_completion,
    LetterKind.LIFTING: a_lifting,
}
