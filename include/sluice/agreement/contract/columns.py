"""The columns of a contract, as far as the paper says what they are; a complete one becomes a FieldRole.

Each answer comes from the column, else from the contract's defaults, else (role and retention) from the agreement's
role row of this direction and field group. An answer that none of them gives is a gap.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from sluice.agreement import dpv
from sluice.agreement.contract.eligibility import THEIRS, NotPortable, Traits, why_not
from sluice.agreement.document import Document, Found, Spot
from sluice.agreement.model import Agreement, FieldRole, RoleRow
from sluice.agreement.shape import OPEN
from sluice.terms import CandidateKey, DataOrigin, FieldGroup, RoleProfile, SubjectKind

GAPS = (
    ("fieldGroup", "040"),
    ("dataCategory", "041"),
    ("purposeIris", "042"),
    ("legalBasis", "043"),
    ("roleProfile", "044"),
    ("retentionRule", "045"),
    ("dataOrigin", "046"),
)
"""What every column needs, with the number of the finding if it is missing."""

DATED = ("date", "timestamp", "time")
"""Types of columns whose cells have a format."""

DAYS = ("date", "timestamp")
"""Those of them that contain a day."""

_ANY_MOMENT = datetime(2001, 2, 13, 14, 15, 16, 170_000)

_DATE_LETTERS = {
    "yyyy": "%Y",
    "yy": "%y",
    "MM": "%m",
    "dd": "%d",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
    "SSS": "%f",
    "SSSSSS": "%f",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """One column with every answer found so far; ``answers`` maps our property names to their spots."""

    name: str
    spot: Spot
    answers: dict[str, Spot]
    row: RoleRow | None
    default_holder: str | None

    def answer(self, name: str) -> Spot | None:
        """The spot of an answer that is given and not left OPEN."""
        spot = self.answers.get(name)
        return spot if spot and spot.is_given and spot.value not in (OPEN, [], [OPEN]) else None

    def words(self, name: str) -> tuple[str, ...]:
        """The texts of an answer that is a list, or its one text."""
        spot = self.answer(name)
        if spot is None:
            return ()
        return (
            tuple(entry.text for entry in spot if entry.text) if spot.entries else ((spot.text,) if spot.text else ())
        )

    def word(self, name: str) -> str | None:
        return next(iter(self.words(name)), None)

    def flag(self, name: str, default: bool) -> bool:
        spot = self.answer(name)
        return spot.value if spot and isinstance(spot.value, bool) else default

    @property
    def group(self) -> str | None:
        return self.word("fieldGroup")

    @property
    def role_profile(self) -> str | None:
        return self.word("roleProfile") or (self.row.role_profile if self.row else None)

    @property
    def retention_rule(self) -> str | None:
        return self.word("retentionRule") or (self.row.retention_rule if self.row else None)

    @property
    def basis_holder(self) -> str | None:
        return self.word("basisHolder") or self.default_holder

    @property
    def portable(self) -> bool:
        """False if contract or agreement restrict it; nothing can widen Art. 20."""
        return self.flag("portable", True) and (self.row is None or self.row.portable)

    @property
    def gaps(self) -> tuple[Found, ...]:
        """What is missing, at the line where it should stand."""
        answered = {name: self.word(name) for name, _ in GAPS}
        answered |= {"roleProfile": self.role_profile, "retentionRule": self.retention_rule}
        return tuple(
            Found(self.answers.get(name, self.spot), number, self.name) for name, number in GAPS if not answered[name]
        )


def custom(spot: Spot) -> dict[str, Spot]:
    """Return the ``customProperties`` of a place: property name -> spot of its value."""
    entries = (entry for entry in spot["customProperties"] if entry["property"].text)
    return {str(entry["property"].text): entry["value"] for entry in entries}


def columns(document: Document) -> tuple[Spot, ...]:
    """The ``properties`` of the contract's tables, in file order."""
    return tuple(column for table in document.root["schema"] for column in table["properties"])


def drafts(document: Document, agreement: Agreement | None) -> tuple[Draft, ...]:
    """Return every named column with what is known of it."""
    defaults = custom(document.root)
    direction = contract_id(document)[1]
    return tuple(
        _draft(column, {**defaults, **custom(column)}, direction, agreement)
        for column in columns(document)
        if column["name"].text
    )


def _draft(column: Spot, answers: dict[str, Spot], direction: str, agreement: Agreement | None) -> Draft:
    draft = Draft(str(column["name"].text), column, answers, None, None)
    if agreement is None:
        return draft
    row = next(
        (row for row in agreement.role_rows if (row.direction, row.field_group) == (direction, draft.group)), None
    )
    purposes, basis = set(draft.words("purposeIris")), draft.word("legalBasis")
    listed = [purpose for purpose in agreement.purposes if purpose.iri in purposes]
    own = [purpose for purpose in listed if purpose.legal_basis == basis]
    holder = next((purpose.basis_holder for purpose in own or listed), None)
    return Draft(draft.name, column, answers, row, holder)


def contract_id(document: Document) -> tuple[str, str, str]:
    """Return principal, direction and flow of ``<principal>.<direction>.<flow>``; empty where the id is malformed."""
    parts = (document.root["id"].text or "").split(".", 2)
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else ("", "", "")


def strptime_format(pattern: str) -> str | None:
    """Turn ``dd/MM/yyyy`` (ODCS, Java letters) into ``%d/%m/%Y``; a strptime format stays; None when unreadable."""
    if "%" in pattern:
        return pattern if all(letter in "YymdHMSf" for letter in re.findall(r"%(.)", pattern)) else None
    parts = re.findall(r"([A-Za-z])(\1*)|'([^']*)'|([^A-Za-z']+)", pattern)
    made = [_DATE_LETTERS.get(first + rest) if first else quoted + other for first, rest, quoted, other in parts]
    return None if None in made or not made else "".join(part for part in made if part)


def reads_back(form: str) -> bool:
    """Whether what is written in a strptime format can be read with it: no directive is repeated or cut off."""
    try:
        datetime.strptime(_ANY_MOMENT.strftime(form), form)
    except (ValueError, re.error):
        return False
    return True


def says_a_day(form: str) -> bool:
    """Whether a strptime format has day, month and year: ``dd-mm-yyyy`` has minutes in the place of the month."""
    letters = set(re.findall(r"%(.)", form))
    return {"d", "m"} <= letters and bool({"Y", "y"} & letters)


def field_role(draft: Draft, server_date_format: str | None) -> FieldRole:
    """Turn a complete draft into its FieldRole. Call it only on a column without findings."""
    column = draft.spot
    logical_type = column["logicalType"].text or "string"
    return FieldRole(
        name=draft.name,
        group=FieldGroup(str(draft.group)),
        category=str(draft.word("dataCategory")),
        origin=DataOrigin(str(draft.word("dataOrigin"))),
        role_profile=RoleProfile(str(draft.role_profile)),
        purpose_iris=draft.words("purposeIris"),
        legal_basis=str(draft.word("legalBasis")),
        basis_holder=draft.basis_holder or "principal",
        retention_rule=str(draft.retention_rule),
        automated=draft.flag("automated", True),
        portable=draft.portable,
        subject_key=SubjectKind(key) if (key := draft.word("subjectKey")) else None,
        art9_condition=draft.word("art9Condition"),
        logical_type=logical_type,
        date_format=_date_format(column, logical_type, server_date_format),
        required=column["required"].value is True,
        unique=column["unique"].value is True,
        source=draft.word("source"),
        candidate_key=CandidateKey(part) if (part := draft.word("candidateKey")) else None,
        consent_channel=draft.word("consentChannel"),
        consent_given=draft.words("consentGiven"),
        classification=column["classification"].text,
    )


def _date_format(column: Spot, logical_type: str, server_date_format: str | None) -> str | None:
    """Return the column's own format, else the server's: for dates, and for timestamps if it has a time of day."""
    pattern = column["logicalTypeOptions"]["format"].text
    if logical_type not in DATED:
        return None
    if pattern:
        return strptime_format(pattern)
    has_clock = "%H" in (server_date_format or "")
    return server_date_format if logical_type == "date" or (logical_type == "timestamp" and has_clock) else None


def portability(draft: Draft) -> tuple[bool, str]:
    """Whether a person may take this column along, and the one reason (GDPR Art. 20(1))."""
    category, basis, origin = draft.word("dataCategory"), draft.word("legalBasis"), draft.word("dataOrigin")
    match why_not(Traits(category, basis, origin, draft.flag("automated", True), draft.portable, draft.group)):
        case NotPortable.NO_PERSONAL_DATA:
            return False, "no personal data"
        case NotPortable.BASIS:
            return False, f"basis {dpv.short(basis or '')}: only consent and contract give portability (Art. 20(1)(a))"
        case NotPortable.ORIGIN if origin in THEIRS:
            return False, f"group {draft.group}: made by agents or derived, whatever its origin says (Art. 20(1))"
        case NotPortable.ORIGIN:
            return False, f"origin {origin}: not provided by the person (Art. 20(1))"
        case NotPortable.BY_HAND:
            return False, "kept by hand (Art. 20(1)(b))"
        case NotPortable.RESTRICTED:
            return False, "restricted by contract or agreement (portable: false)"
        case None:
            return True, "provided by the person under consent or contract, kept by automated means"
