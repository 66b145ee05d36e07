"""Judge the rows of a staff file one by one. Pure: only the file counts, not what is recorded."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sluice.staff.facts import exam_valid_until
from sluice.staff.model import (
    Account,
    CodeVersion,
    Credential,
    Finding,
    Judged,
    Kind,
    RawTable,
    StaffRow,
)
from sluice.staff.refs import account_ref, agent_ref
from sluice.staff.times import TimeFault, parse_moment


@dataclass(frozen=True, slots=True)
class Columns:
    """The cells that a row of one kind must and may fill; ``zone`` and ``withdrawn`` are always allowed."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


COLUMNS: Mapping[Kind, Columns] = {
    Kind.COURSE: Columns(("agent", "at", "version", "whole")),
    Kind.EXAM: Columns(("agent", "at", "version", "whole", "score")),
    Kind.SIGNATURE: Columns(("agent", "at", "version")),
    Kind.CODE_VERSION: Columns(("version", "at"), ("grace_until",)),
    Kind.ACCOUNT: Columns(("agent", "platform", "account"), ("at",)),
}
ALWAYS = ("kind", "zone", "withdrawn")
KNOWN = frozenset({*ALWAYS, "agent", "at", "version", "whole", "score", "grace_until", "platform", "account"})

PATTERNS = {
    "agent": re.compile(r"[A-Za-z0-9][A-Za-z0-9._@/-]{0,63}"),
    "version": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"),
    "platform": re.compile(r"[a-z][a-z0-9_]{0,31}"),
    "account": re.compile(r"[^\x00-\x1f\x7f]{1,200}"),
    "score": re.compile(r"\d{1,3}(?:[.,]\d{1,4})?", re.ASCII),
}
FLAGS = {"yes": True, "no": False}
TIMES = ("at", "grace_until")

_MOMENT = "2026-11-24T10:00:00+01:00, or with Z, or without offset where zone is Europe/Brussels"
_BY_KIND = "; ".join(f"{kind}: {', '.join((*each.required, *each.optional))}" for kind, each in COLUMNS.items())
TAKES: Mapping[str, str] = {
    "kind_known": ", ".join(Kind),
    "yes_or_no": ", ".join(FLAGS),
    "percent": "0 to 100",
    "score_form": "a number from 0 to 100, at most four decimals, point or comma",
    "agent_form": "letters, digits, . _ @ / - (at most 64)",
    "version_form": "letters, digits, . _ - (at most 64)",
    "platform_form": "lower-case letters, digits, _ (at most 32), a letter first",
    "account_form": "at most 200 characters, none of them a control character",
    "moment_with_zone": _MOMENT,
    "happened_already": "a moment that has come",
    "grace_after_start": "a moment after `at`",
    "known_columns": ", ".join(sorted(KNOWN)),
    "kind_column": ", ".join(Kind),
    "only_columns_of_kind": _BY_KIND,
    "required_by_kind": _BY_KIND,
}
"""What a column takes, or a kind of row has, by the rule that was broken. These are words of ours, never a cell."""


def judge_rows(table: RawTable, key: bytes, now: datetime) -> Judged:
    """Accept or refuse every row, and replace agents and accounts by references under ``key``.

    now: a later event is refused, since it cannot have happened yet.
    """
    findings = [*table.findings, *(_header(table.columns) if table.columns else ())]
    if any(finding.row == 0 for finding in findings):
        refused = range(1, len(table.rows) + 1)
        return Judged(len(refused), (), tuple(finding for finding in findings if finding.row == 0))
    accepted = []
    for number, cells in enumerate(table.rows, 1):
        if not cells:
            continue
        row = _Row(number, dict(zip(table.columns, cells, strict=True)), now)
        faults = list(row.faults())
        findings += faults
        if not faults:
            accepted.append(row.build(key))
    return Judged(len(table.rows), tuple(accepted), tuple(sorted(findings, key=lambda finding: finding.row)))


def _header(columns: tuple[str, ...]) -> Iterator[Finding]:
    """Check the header. An unknown name is not repeated, because it may be data of a file without a header."""
    if len(set(columns)) < len(columns):
        yield Finding("HEADER_DUPLICATE", "columns_once", None, 0)
    if not KNOWN.issuperset(columns):
        yield Finding("HEADER_UNDECLARED_COLUMN", "known_columns", None, 0)
    if "kind" not in columns:
        yield Finding("HEADER_MISSING_COLUMN", "kind_column", "kind", 0)


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    cells: Mapping[str, str]
    now: datetime

    def faults(self) -> Iterator[Finding]:
        """All faults of this row."""
        word = self._cell("kind")
        if word not in tuple(Kind):
            yield self._finding("VALUE_NULL" if not word else "VALUE_NOT_IN_SET", "kind_known", "kind")
            return
        columns = COLUMNS[Kind(word)]
        for name in self._misplaced(columns):
            yield self._finding("VALUE_NOT_NULL", "only_columns_of_kind", name)
        for name in (*columns.required, *columns.optional, "withdrawn"):
            text = self._cell(name)
            if not text:
                if name in columns.required:
                    yield self._finding("VALUE_NULL", "required_by_kind", name)
            elif fault := self._fault(name, text):
                yield self._finding(*fault, name)
        yield from self._order(Kind(word))

    def build(self, key: bytes) -> StaffRow:
        """The row as a statement; only for a row without faults."""
        kind = Kind(self._cell("kind"))
        withdrawn = FLAGS.get(self._cell("withdrawn"), False)
        at, version = self._moment("at"), self._cell("version")
        if kind is Kind.ACCOUNT:
            ref = account_ref(key, self._cell("platform"), self._cell("account"))
            account = Account(self._cell("platform"), ref, agent_ref(key, self._cell("agent")), at)
            return StaffRow(self.number, withdrawn, account=account)
        assert at is not None
        if kind is Kind.CODE_VERSION:
            return StaffRow(self.number, withdrawn, code=CodeVersion(version, at, self._moment("grace_until")))
        return StaffRow(
            self.number,
            withdrawn,
            agent_ref=agent_ref(key, self._cell("agent")),
            credential=Credential(
                kind,
                at,
                version,
                whole=FLAGS.get(self._cell("whole"), True),
                score=self._score() if kind is Kind.EXAM else None,
                valid_until=exam_valid_until(at) if kind is Kind.EXAM else None,
            ),
        )

    def _misplaced(self, columns: Columns) -> list[str]:
        ours = {*ALWAYS, *columns.required, *columns.optional}
        return [name for name, text in self.cells.items() if text and name not in ours]

    def _fault(self, name: str, text: str) -> tuple[str, str] | None:
        """Code and rule of the fault of one filled cell, if any."""
        if name in TIMES:
            moment = parse_moment(text, self._cell("zone"))
            return (moment.value, "moment_with_zone") if isinstance(moment, TimeFault) else None
        if name in ("whole", "withdrawn"):
            return None if text in FLAGS else ("VALUE_NOT_IN_SET", "yes_or_no")
        if not PATTERNS[name].fullmatch(text):
            return "VALUE_PATTERN", f"{name}_form"
        return ("VALUE_RANGE", "percent") if name == "score" and self._score() > 100 else None

    def _order(self, kind: Kind) -> Iterator[Finding]:
        at, until = self._moment("at"), self._moment("grace_until")
        if kind in (Kind.COURSE, Kind.EXAM, Kind.SIGNATURE) and at and at > self.now:
            yield self._finding("VALUE_TIME_FUTURE", "happened_already", "at")
        if kind is Kind.CODE_VERSION and at and until and until <= at:
            yield self._finding("VALUE_RANGE", "grace_after_start", "grace_until")

    def _moment(self, name: str) -> datetime | None:
        moment = parse_moment(self._cell(name), self._cell("zone"))
        return None if isinstance(moment, TimeFault) else moment

    def _score(self) -> Decimal:
        return Decimal(self._cell("score").replace(",", "."))

    def _cell(self, name: str) -> str:
        return self.cells.get(name, "")

    def _finding(self, code: str, rule: str, column: str) -> Finding:
        return Finding(code, rule, column, self.number)
