"""Rectification (GDPR Art. 16): what is right is sealed with the case, and holds once it was decided.

A field of the part's controller gets its value from then on, everywhere; an opinion keeps its text and gets the
person's statement. Again changes nothing.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

import rfc8785

from sluice.agreement.model import FieldRole
from sluice.agreement.profiles import PROFILES
from sluice.agreement.store import find_agreement, find_contracts
from sluice.errors import Exit, NotFound, Ref, SluiceError
from sluice.exchange.corrections import OPINIONS, RightValue, correct, digest, evidence_of
from sluice.exchange.house import House
from sluice.exchange.naming import utc_text
from sluice.rights import store
from sluice.rights.clock import received_on
from sluice.rights.identifiers import PREFIX, SEALED, decrypt, encrypt, open_sealed, refs_of
from sluice.rights.model import Case, CaseId, Right, SubCase, SubCaseId
from sluice.rights.scope import DECIDES
from sluice.terms import DataOrigin, Direction, Principal

MOST_BYTES = 4_000
HELD_IN = (Direction.INBOUND, Direction.INTERNAL)
"""Directions of the contracts whose columns a person can have corrected; returns echo them."""


class NotRectifiable(SluiceError):
    """Values that no column of this case can take."""

    code: ClassVar[str] = "SLU-621"
    summary: ClassVar[str] = "these values cannot be corrected in this case"
    cure: ClassVar[str] = "open it with --right rectification, for one person; `sluice contract explain` lists columns"
    exit: ClassVar[Exit] = Exit.REFUSED


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is right, by column, since ``as_of`` (UTC). The values stay out of every repr."""

    values: Mapping[str, str] = field(repr=False)
    as_of: datetime

    @property
    def sha256(self) -> str:
        """Of the values; it is kept only where it cannot be guessed from, sealed."""
        return digest(self.values)


def ask(house: House, case_id: CaseId, wanted: Wanted, sub_case_id: SubCaseId | None = None) -> None:
    """Seal what is right with its case, until it is decided. Said again, the last word counts.

    sub_case_id: what one controller said of its own part. Raises NotRectifiable, NotFound.
    """
    case = store.get_case(house.conn, case_id)
    known = {each.name for part in case.sub_cases for each in _fields(house, part, wanted.as_of)}
    wrong = sorted(set(wanted.values) - known)
    is_long = any(len(value.encode()) > MOST_BYTES for value in wanted.values.values())
    if case.right is not Right.RECTIFICATION or case.persons > 1 or not wanted.values or wrong or is_long:
        raise NotRectifiable(Ref("case", case_id), Ref("columns unknown", len(wrong)))
    said: dict[str, Any] = {"values": dict(wanted.values), "as_of": utc_text(wanted.as_of)}
    content = encrypt(house.keyring, rfc8785.dumps(said))
    house.objects.put_converging(house.settings.bucket_vault, _key(case_id, sub_case_id), content, SEALED)


def carry_out(house: House, case: Case, part: SubCase, now: datetime) -> str | None:
    """Correct what a part's controller decides of; the hash of the entry that says so. None: nobody said what is right.

    Where none of its columns is concerned, what was asked is the evidence.
    """
    wanted = _find(house, case.case_id, part.sub_case_id) or _find(house, case.case_id, None)
    if wanted is None:
        return None
    principal = Principal(part.principal)
    identifiers = open_sealed(house, case.subject_key).envelope.identifiers
    refs = frozenset(refs_of(identifiers, house.subject_key(principal)).values())
    done = [
        correct(house, principal, case.case_id, refs, _right(each, wanted), now)
        for each in _fields(house, part, now)
        if each.name in wanted.values and each.group in (part.action_fields or part.field_groups)
    ]
    return evidence_of(house, done) or case.subject_sha256


def _right(column: FieldRole, wanted: Wanted) -> RightValue:
    is_opinion = column.group in OPINIONS or column.origin is DataOrigin.AGENT_MADE
    return RightValue(column.name, wanted.values[column.name], wanted.as_of, is_opinion)


def _fields(house: House, part: SubCase, at: datetime) -> Iterator[FieldRole]:
    """Columns of which the part's controller decides, each name once."""
    on, seen = received_on(at), set[str]()
    agreement = find_agreement(house.conn, part.agreement_id, on, at) if part.agreement_id else None
    for contract in find_contracts(house.conn, agreement, on, at) if agreement else ():
        for each in contract.fields if contract.direction in HELD_IN else ():
            decides = DECIDES.get(PROFILES[each.role_profile].controller)
            if decides and decides[0] == part.controller and each.name not in seen:
                seen.add(each.name)
                yield each


def _find(house: House, case_id: CaseId, sub_case_id: SubCaseId | None) -> Wanted | None:
    try:
        content = house.objects.read(house.settings.bucket_vault, _key(case_id, sub_case_id))
    except NotFound:
        return None
    said = json.loads(decrypt(house.keyring, content))
    return Wanted(said["values"], datetime.fromisoformat(said["as_of"]))


def _key(case_id: CaseId, sub_case_id: SubCaseId | None) -> str:
    return f"{PREFIX}{case_id}/rectify{f'-{sub_case_id}' if sub_case_id else ''}.age"
