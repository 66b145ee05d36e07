"""The two registers of GDPR Art. 30 as data: what papers declare, what was seen in exchanges, rows and findings."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sluice.agreement.clauses.annexes import Known, KnownContract, Party
from sluice.agreement.model import FieldRole
from sluice.ledger.record import CONTRACT_END, PurposeLine
from sluice.terms import Direction


class Article(StrEnum):
    """Which register: of processing that the center decides on (30(1)), or that it does for principals (30(2))."""

    CONTROLLER = "30.1"
    PROCESSOR = "30.2"


@dataclass(frozen=True, slots=True)
class Center:
    """The center itself: its code in agreements, the country it works in, and how the papers name it."""

    code: str
    country: str
    party: Party


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What a row is about. ``purpose`` is empty for files without a known purpose; ``group`` is for 30(1) only."""

    article: Article
    principal: str
    agreement_id: str
    purpose: str
    group: str

    @property
    def number(self) -> str:
        """The number of the processing: unique in its register, and the same in every language and on every date."""
        parts = (self.agreement_id or f"({self.principal})", self.purpose or "(?)", self.group)
        return "/".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class SeenColumn:
    """One kind of column of an exchange. ``controller`` is known per column only for what goes out."""

    group: str | None
    category: str | None
    origin: str | None
    controller: str | None


@dataclass(frozen=True, slots=True)
class SeenRole:
    """The role profile and the controller of a field group in an exchange."""

    group: str
    profile: str
    controller: str


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """A group of closed exchanges for which a register says the same, on days with the same papers in force.

    A group equals only itself, so that a set of them counts one that is in several rows once.

    ``first`` and ``last`` are Brussels dates; ``count`` is the number of exchanges.
    """

    principal: str
    direction: Direction
    flow: str
    first: date
    last: date
    agreement_id: str | None
    agreement_version: str | None
    contract_sha256: str | None
    purposes: tuple[PurposeLine, ...]
    roles: tuple[SeenRole, ...]
    columns: tuple[SeenColumn, ...]
    sender: str
    recipients: tuple[str, ...]
    sub_processors: tuple[str, ...]
    countries: tuple[str, ...]
    special: bool
    warnings: tuple[str, ...]
    dag: str | None
    count: int
    accepted: int
    """How many of them moved data: accepted or partly accepted."""
    after_end: bool = False
    """Whether all were given back because their agreement had ended: its last day counts then (Art. 28(3)(g))."""
    resumed_on: date | None = None
    """If they waited while their flow was stopped: the Brussels date on which it was resumed, whose papers count."""

    @property
    def is_of_the_law(self) -> bool:
        """Whether the law itself requires it, so that no agreement has to declare it.

        That holds for answers to persons (Art. 15, 20) and for what is given back at the end of an agreement.
        """
        codes = {purpose.code for purpose in self.purposes}
        is_given_back = self.direction is Direction.OUTBOUND_RETURN and codes == {CONTRACT_END}
        return self.direction is Direction.PORTABILITY_ACCESS or is_given_back


@dataclass(frozen=True, slots=True)
class Papers:
    """The timeline as known at an instant: agreements and contracts with their days."""

    agreements: tuple[Known, ...]
    contracts: tuple[KnownContract, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """What the known papers declare for one row on a date, or on its last day if it has ended.

    ``paper``: the agreement version that declares it. ``first`` and ``last`` bound the days on which some version
    declared it, together with a contract where it has one; ``last`` None means without end.
    """

    paper: Known
    fields: tuple[FieldRole, ...]
    directions: frozenset[Direction]
    contracts: tuple[KnownContract, ...]
    first: date
    last: date | None


@dataclass(frozen=True, slots=True)
class Row:
    """One processing: declared, seen, or both. ``paper``: the version that declares it, or under which it was seen."""

    key: Key
    declared: Declared | None
    paper: Known | None
    seen: tuple[Sighting, ...]

    @property
    def exchanges(self) -> int:
        return sum(each.count for each in self.seen)

    @property
    def is_of_the_law(self) -> bool:
        """Whether it was seen only in exchanges that the law itself requires, which no agreement has to declare."""
        return bool(self.seen) and all(each.is_of_the_law for each in self.seen)

    @property
    def first_seen(self) -> date | None:
        return min((each.first for each in self.seen), default=None)

    @property
    def last_seen(self) -> date | None:
        return max((each.last for each in self.seen), default=None)


class FindingCode(StrEnum):
    """Why there is a finding: papers and exchanges differ, or a row lacks what it must say."""

    DECLARED_NOT_SEEN = "DECLARED_NOT_SEEN"
    PURPOSE_NOT_DECLARED = "PURPOSE_NOT_DECLARED"
    NO_PURPOSE = "NO_PURPOSE"
    GROUP_NOT_DECLARED = "GROUP_NOT_DECLARED"
    CATEGORY_NOT_DECLARED = "CATEGORY_NOT_DECLARED"
    SPECIAL_NOT_DECLARED = "SPECIAL_NOT_DECLARED"
    RECIPIENT_NOT_DECLARED = "RECIPIENT_NOT_DECLARED"
    COUNTRY_NOT_DECLARED = "COUNTRY_NOT_DECLARED"
    ROLE_CONTESTABLE = "ROLE_CONTESTABLE"
    MANDATORY_EMPTY = "MANDATORY_EMPTY"


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding. ``what``: a code, name or column, never about a person.

    ``exchanges``: in how many it was seen; 0 for a finding about papers.
    """

    code: FindingCode
    number: str
    principal: str
    what: str
    exchanges: int = 0


@dataclass(frozen=True, slots=True)
class Register:
    """One register as of a date, as known at an instant. ``open``: how many exchanges had no decision yet."""

    article: Article
    at: date
    known_at: datetime
    center: Center
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    open: int

    @property
    def exchanges(self) -> int:
        """How many exchanges are in its rows; one that is in several rows counts once."""
        return sum(each.count for each in {each for row in self.rows for each in row.seen})
