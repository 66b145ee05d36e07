"""Rectification (GDPR Art. 16): the right values are sealed with the case, and apply once that was decided.

From then on, a field that the part's controller decides of has the right value everywhere. An opinion keeps its
text and gets the person's statement. Repeating it changes nothing.
"""

import hashlib
import json
import logging
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import rfc8785

from sluice.agreement.in_force.store import find_contract_by_hash, find_contracts, find_last
from sluice.agreement.model import DataContract, FieldRole
from sluice.agreement.roles.profiles import PROFILES
from sluice.db import Connection, transaction
from sluice.errors import Exit, NotFound, Ref, SluiceError
from sluice.exchange.house import House
from sluice.exchange.persons.correction_store import find_contract_hashes, find_fields
from sluice.exchange.persons.corrections import OPINIONS, RightValue, correct, evidence_of
from sluice.media_types import OCTETS
from sluice.rights.case import store
from sluice.rights.case.clock import received_on
from sluice.rights.case.model import Action, Case, CaseId, Right, State, SubCase, SubCaseId
from sluice.rights.case.states import DECIDED, TO_CARRY_OUT
from sluice.rights.case.store import check_not_tidied
from sluice.rights.person.deciders import covers, decides
from sluice.rights.person.rectify_whom import refs_to_correct
from sluice.rights.person.scope import DECIDES
from sluice.rights.person.sealed import PREFIX, decrypt, encrypt
from sluice.rights.person.wanted import Wanted
from sluice.terms import DataOrigin, Direction, Principal, SubjectKind
from sluice.times import utc_text

log = logging.getLogger(__name__)
MOST_BYTES = 4_000
RECTIFIED, NOBODY, NOT_CONCERNED = "RECTIFIED", "NOBODY_KNOWS_THE_PERSON", "NO_FIELD_CONCERNED"
"""Why a part counts as carried out: it was corrected, nothing of the person is there, or none of its fields is
concerned."""
HELD_IN = (Direction.INBOUND, Direction.INTERNAL)
"""Directions of the contracts whose columns a person can have corrected. Returns repeat these columns."""


class NotRectifiable(SluiceError):
    """Values that no column of this case can take."""

    code: ClassVar[str] = "SLU-621"
    summary: ClassVar[str] = "these values cannot be corrected in this case"
    cure: ClassVar[str] = (
        "open it with --right rectification, for one person, and say what is right before anybody decides on it; "
        "`sluice contract explain` lists columns"
    )
    exit: ClassVar[Exit] = Exit.REFUSED


@dataclass(frozen=True, slots=True)
class SealedWanted:
    """What was said to be right, and the SHA-256 of the sealed object that says so."""

    wanted: Wanted
    sha256: str


@dataclass(frozen=True, slots=True)
class Carried:
    """How a part was carried out: the reason code of its step, and the hash that is the evidence of the step."""

    word: str
    evidence_sha256: str


def ask(house: House, case_id: CaseId, wanted: Wanted) -> None:
    """Seal the right values with their case, until it is decided. If they are given again, the last ones count.

    This changes nobody's decision: it is refused once a part was decided on the values given, or if no part is left
    that could still take them. Raises NotRectifiable, MaterialGone, NotFound.
    """
    with transaction(house.conn):
        case = store.lock_case(house.conn, case_id)
        check_not_tidied(house.conn, case_id)
        if not can_take(house, case, case.sub_cases, wanted, datetime.now(UTC)):
            raise NotRectifiable(Ref("case", case_id), Ref("columns", len(wanted.values)))
        is_settled = any(part.state in DECIDED for part in case.sub_cases) and _find(house, _key(case_id)) is not None
        if case.state.is_over or is_settled or not any(_awaits(house, part) for part in case.sub_cases):
            raise NotRectifiable(Ref("case", case_id), Ref("decided parts", _count_decided(case)))
        _put(house, _key(case_id), wanted)


def seal_instructed(house: House, part: SubCase, wanted: Wanted, sha256: str) -> None:
    """Seal the values of one instruction for its own part, under its hash, so that no other instruction applies them.

    Call this inside the transaction that follows the instruction, with the case locked. Raises MaterialGone.
    """
    check_not_tidied(house.conn, part.case_id)
    key = _key(part.case_id, part.sub_case_id, sha256)
    if _find(house, key) is None:
        _put(house, key, wanted)


def can_take(house: House, case: Case, parts: Iterable[SubCase], wanted: Wanted, now: datetime) -> bool:
    """Whether columns of these parts of the case can take these values.

    They can if the case is a rectification for one person, the columns are known now, and no value is too long. Of an
    instruction ask about its own part alone: other parts would tell its principal whose customer the person is too.
    """
    conn = house.conn
    known = {each.name for part in parts for each in _fields(conn, part, _papers(conn, part, now))}
    is_short = all(len(value.encode()) <= MOST_BYTES for value in wanted.values.values())
    names = set(wanted.values)
    return case.right is Right.RECTIFICATION and case.persons <= 1 and bool(names) and names <= known and is_short


def _awaits(house: House, part: SubCase) -> bool:
    """Whether a part can still take values: it is undecided, or it was decided without any and is not carried out."""
    if part.state not in DECIDED:
        return True
    return part.action is Action.RECTIFY and part.state in TO_CARRY_OUT and find_asked(house, part) is None


def _count_decided(case: Case) -> int:
    return sum(part.state in DECIDED for part in case.sub_cases)


def carry_out(house: House, case: Case, part: SubCase, now: datetime) -> Carried | None:
    """Correct what a part's controller decides of.

    None if nobody said what is right, nobody can tell whose rows are meant, or no contract names any columns. If
    none of the part's columns is concerned, or the person was erased since, the evidence is the sealed request.
    """
    asked = find_asked(house, part)
    if asked is None:
        return None
    principal = Principal(part.principal)
    refs = refs_to_correct(house, case, principal)
    if refs is None:
        log.warning("case %s: what was given is of several persons at %s", case.case_id, principal)
        return None
    if not refs:
        return Carried(NOBODY, case.subject_sha256)
    papers = _papers(house.conn, part, now)
    if not papers.all:
        log.warning("case %s: no contract of %s says what its columns are", case.case_id, principal)
        return None
    kinds = _kinds(papers)
    done = [
        correct(house, principal, case.case_id, refs, _right(each, asked, kinds.get(each.name, ())), now)
        for each in _fields(house.conn, part, papers)
        if each.name in asked.wanted.values and covers(part, each.group)
    ]
    evidence = evidence_of(house, done)
    return Carried(RECTIFIED, evidence) if evidence else Carried(NOT_CONCERNED, case.subject_sha256)


def _right(column: FieldRole, asked: SealedWanted, kinds: tuple[tuple[SubjectKind, str], ...]) -> RightValue:
    is_opinion = column.group in OPINIONS or column.origin is DataOrigin.AGENT_MADE
    wanted = asked.wanted
    return RightValue(column.name, wanted.values[column.name], wanted.as_of, is_opinion, asked.sha256, kinds)


def corrected_fields(conn: Connection, part: SubCase, groups: Collection[str], at: datetime) -> list[str]:
    """Names of the columns in these field groups that were corrected in the case of a part; no values."""
    return [each.name for each in _corrected(conn, part, at) if each.group in groups]


def corrected_groups(conn: Connection, part: SubCase, at: datetime) -> tuple[str, ...]:
    """The field groups of which a column was corrected: a part's own in its order, then those that it has no more."""
    groups = part.action_fields or part.field_groups
    made = {each.group.value for each in _corrected(conn, part, at) if covers(part, each.group)}
    return (*(group for group in groups if group in made), *sorted(made.difference(groups)))


def _corrected(conn: Connection, part: SubCase, at: datetime) -> Iterator[FieldRole]:
    made = find_fields(conn, part.case_id, Principal(part.principal))
    fields = _fields(conn, part, _papers(conn, part, at)) if made else ()
    return (each for each in fields if each.name in made)


@dataclass(frozen=True, slots=True)
class _Papers:
    """The contracts that say what the columns of a part are: in force, and of what still lies here."""

    in_force: list[DataContract]
    of_copies: list[DataContract]

    @property
    def all(self) -> list[DataContract]:
        return [*self.in_force, *self.of_copies]


def _papers(conn: Connection, part: SubCase, at: datetime) -> _Papers:
    return _Papers(_in_force(conn, part, at), _of_copies(conn, part))


def _fields(conn: Connection, part: SubCase, papers: _Papers) -> Iterator[FieldRole]:
    """The columns that the part's controller decides of, each name once.

    Roles can change after the parts of a case were made, so these say who decides (:func:`decides`). What a contract in
    force says of a column is not asked of an older one, whose rows may still lie here.
    """
    parts, seen, known = store.get_case(conn, part.case_id).sub_cases, set[str](), set[str]()
    for contracts in (papers.in_force, papers.of_copies):
        for each in (field for contract in contracts for field in contract.fields if field.name not in known):
            controller, _ = DECIDES[PROFILES[each.role_profile].controller]
            if each.name not in seen and decides(part, controller, each.group, parts):
                seen.add(each.name)
                yield each
        known = {field.name for contract in contracts for field in contract.fields}


def _of_copies(conn: Connection, part: SubCase) -> list[DataContract]:
    """The contracts under any version of a part's agreement under which copies came that are still here."""
    hashes = find_contract_hashes(conn, Principal(part.principal), HELD_IN)
    found = (find_contract_by_hash(conn, each) for each in hashes)
    return [contract for contract in found if contract and contract.agreement_id == part.agreement_id]


def _in_force(conn: Connection, part: SubCase, at: datetime) -> list[DataContract]:
    """The contracts under a part's agreement, as it stands or as it stood on its last day.

    An agreement that ended counts, because what came under it stays here for a while.
    """
    paper = find_last(conn, part.agreement_id, received_on(at), at) if part.agreement_id else None
    found = find_contracts(conn, *paper, at) if paper else ()
    return [contract for contract in found if contract.direction in HELD_IN]


def _kinds(papers: _Papers) -> dict[str, tuple[tuple[SubjectKind, str], ...]]:
    """By name of an identifying column, the kinds of its values and the regions of its telephones, in all contracts."""
    found: dict[str, set[tuple[SubjectKind, str]]] = {}
    for contract in papers.all:
        for each in contract.subject_fields:
            assert each.subject_key is not None  # it can find a person
            found.setdefault(each.name, set()).add((each.subject_key, contract.file_format.region))
    return {name: tuple(sorted(kinds)) for name, kinds in found.items()}


def find_asked(house: House, part: SubCase) -> SealedWanted | None:
    """The values in the instruction that was followed, or else those given for the whole case; None without either."""
    steps = store.list_steps(house.conn, part.case_id)
    mine = [each for each in steps if each.sub_case_id == part.sub_case_id and each.to_state is State.INSTRUCTED]
    own = _find(house, _key(part.case_id, part.sub_case_id, mine[-1].evidence_sha256)) if mine else None
    return own or _find(house, _key(part.case_id))


def _find(house: House, key: str) -> SealedWanted | None:
    try:
        content = house.objects.read(house.settings.bucket_vault, key)
    except NotFound:
        return None
    said = json.loads(decrypt(house.keyring, content))
    wanted = Wanted(said["values"], datetime.fromisoformat(said["as_of"]))
    return SealedWanted(wanted, hashlib.sha256(content).hexdigest())


def _put(house: House, key: str, wanted: Wanted) -> None:
    said: dict[str, Any] = {"values": dict(wanted.values), "as_of": utc_text(wanted.as_of)}
    content = encrypt(house.keyring, rfc8785.dumps(said))
    house.objects.put_converging(house.settings.bucket_vault, key, content, OCTETS)


def _key(case_id: CaseId, sub_case_id: SubCaseId | None = None, instruction: str = "") -> str:
    return f"{PREFIX}{case_id}/rectify{f'-{sub_case_id}-{instruction}' if sub_case_id else ''}.age"
