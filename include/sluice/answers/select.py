"""Select what is given: columns by whose they are, agents as numbers, data of others left out. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from sluice.agreement.model import FieldRole
from sluice.answers.authority import Authority, controller_of
from sluice.answers.model import (
    GIVEN,
    NOT_HERE,
    UNASSIGNED,
    FieldLine,
    Found,
    Held,
    Why,
    Withheld,
    dataset_of,
)
from sluice.answers.notes import of_others
from sluice.answers.righted import opinion_of
from sluice.rights.case.clock import received_on
from sluice.terms import FieldGroup

COMPANY, DATASET, DAY, EXCHANGE, KEPT_IN = (
    "sluice_company", "sluice_dataset", "sluice_day", "sluice_exchange", "sluice_kept_in",
)  # fmt: skip
META = (COMPANY, DATASET, DAY, EXCHANGE, KEPT_IN)
"""Columns that say where a row is from. No file of ours has these names, because what begins so is stripped."""
RAW = "record"


BRACKETS = re.compile(r"\[[^\[\]]*\]")
"""Matches a word of a platform that stands for nobody, such as [system], if it is the whole cell."""
NO_AGENT = "[none]"
"""What a platform writes where no agent was there: an empty cell, not a word about anybody."""
SHORTEST_NAME = 2


@dataclass
class Agents:
    """Agents by number, in the order in which they are met: the person needs no name, and gets none (C-579/21).

    ``names``: how they are written in columns that are known to hold them. ``columns``: what such columns are called.
    """

    names: frozenset[str] = field(default=frozenset(), repr=False)
    columns: frozenset[str] = frozenset()
    numbers: dict[str, str] = field(default_factory=dict, repr=False)

    def pseudonym(self, name: str) -> str:
        return self.numbers.setdefault(name.strip().casefold(), f"agent {len(self.numbers) + 1}")

    def hide(self, cells: pl.Series) -> pl.Series:
        """Replace every cell by a number; a word in brackets names nobody, and stays."""
        told = [
            cell if cell is None or not cell.strip() or BRACKETS.fullmatch(cell.strip()) else self.pseudonym(cell)
            for cell in cells
        ]
        return pl.Series(cells.name, told, dtype=pl.String)

    def hide_words(self, cells: pl.Series) -> pl.Series:
        """Replace every known name in text by a number if it is a word of its own; a part of a longer word stays."""
        names = sorted(filter(_is_telling, self.names), key=len, reverse=True)
        if not names:
            return cells
        words = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)", re.IGNORECASE)
        told = [
            None if cell is None else words.sub(lambda found: self.pseudonym(found.group()), cell) for cell in cells
        ]
        return pl.Series(cells.name, told, dtype=pl.String)

    def hide_unexplained(self, cells: pl.Series) -> pl.Series:
        """Hide agents in a column that no paper explains.

        Whole cells are hidden if it is called like a column of agents; otherwise it is done word by word.
        """
        return self.hide(cells) if cells.name.casefold() in self.columns else self.hide_words(cells)


def _is_telling(name: str) -> bool:
    """Whether a name can be looked for in text; of a digit or two nobody knows that they are a name."""
    return len(name) >= SHORTEST_NAME and not (name.isdigit() and len(name) < 3)


def agents_of(found: Sequence[Found]) -> Agents:
    """Find every agent that a column names, whether it is given or not."""
    names, columns = set[str](), set[str]()
    for held in (held for each in found for held in each.held):
        for name in held.frame.columns:
            if group_of(held, name) == FieldGroup.AGENT_REF:
                columns.add(name.casefold())
                names.update(cell.strip() for cell in held.frame[name].drop_nulls().unique().to_list())
    return Agents(frozenset(name for name in names if not BRACKETS.fullmatch(name)), frozenset(columns))


@dataclass(frozen=True)
class Selected:
    """Tables by field group, a line per column, and how much was left out for the sake of others."""

    tables: Mapping[str, pl.DataFrame] = field(repr=False)
    fields: tuple[FieldLine, ...]
    withheld: Mapping[str, int]
    roles: Mapping[tuple[str, str], FieldRole]
    """Role of a column by dataset and name, as its newest copy has it: tells what the column is called."""
    judged: Mapping[tuple[str, str, str], FieldRole] = field(default_factory=dict)
    """The same, by version of the contract too: tells what may be done with the column."""
    versions: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Version of the contract by exchange and dataset."""
    by_dataset: tuple[Withheld, ...] = ()
    """What is left out, by company and dataset; ``withheld`` adds it up."""

    def role_of(self, line: FieldLine) -> FieldRole | None:
        """Return the role that a column has under its own contract."""
        return self.role(line.dataset, line.version, line.name)

    def role(self, dataset: str, version: str, name: str) -> FieldRole | None:
        """Return the role under a version of the contract; without any version, as the newest copy has it."""
        return self.judged.get((dataset, version, name)) if self.judged else self.roles.get((dataset, name))


def select(found: Sequence[Found], authorities: Mapping[str, Authority]) -> Selected:
    """Select everything that may be given, deduplicated: equal rows of several copies of one exchange are one."""
    agents, withheld = agents_of(found), Counter[tuple[str, str, Why]]()
    parts: dict[str, list[pl.DataFrame]] = {}
    lines: dict[FieldLine, None] = {}
    roles: dict[tuple[str, str], FieldRole] = {}
    judged: dict[tuple[str, str, str], FieldRole] = {}
    versions: dict[tuple[str, str], str] = {}
    notes: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for each in found:
        authority = authorities[each.principal]
        for copy, count in each.unasked:
            withheld[each.company, dataset_of(copy), Why.UNASKED] += count
        for held in map(_without_nobody, each.held):
            place = each.company, held.dataset
            withheld += Counter({(*place, Why.ROWS): held.others, (*place, Why.OBJECTS): held.apart})
            lines |= dict.fromkeys(_lines(each, held, authority))
            roles |= {(held.dataset, name): role for name, role in held.roles.items()}
            judged |= {(held.dataset, held.version, name): role for name, role in held.roles.items()}
            versions[held.copy.exchange_id, held.dataset] = held.version
            screened, doubtful = _screened(each, held)
            notes.setdefault(place, set()).update(doubtful)
            for group, table in _tables(each, screened, authority, agents):
                parts.setdefault(group, []).append(table)
    withheld += Counter({(*place, Why.NOTES): len(each) for place, each in notes.items()})
    tables = {group: _together(parts[group]) for group in sorted(parts, key=_order)}
    left = tuple(Withheld(*name, count) for name, count in withheld.items())
    return Selected(tables, tuple(_told(lines)), totals(left), roles, judged, versions, left)


def totals(left: Iterable[Withheld]) -> dict[str, int]:
    """What is left out, by reason."""
    found = Counter[str]()
    for each in left:
        found[each.why.value] += each.count
    return {why.value: found[why.value] for why in Why if found[why.value]}


def _order(group: str) -> tuple[int, str]:
    """Sort groups in the order of the vocabulary; what belongs to none comes last."""
    known = [each.value for each in FieldGroup]
    return (known.index(group) if group in known else len(known), group)


def group_of(held: Held, name: str) -> str:
    return held.roles[name].group.value if name in held.roles else UNASSIGNED


def _lines(found: Found, held: Held, authority: Authority) -> Iterator[FieldLine]:
    for name in held.frame.columns:
        word = authority.word_on(held.roles.get(name), held.agreement)
        if word == GIVEN and not held.frame[name].fill_null("").ne("").any():
            word = NOT_HERE
        yield FieldLine(
            principal=found.principal,
            controller=controller_of(held.roles.get(name)),
            dataset=held.dataset,
            name=name,
            group=group_of(held, name),
            included=word == GIVEN,
            reason=word.rpartition("#")[2],
            iri=word if "#" in word else None,
            version=held.version,
        )


def _told(lines: Iterable[FieldLine]) -> Iterator[FieldLine]:
    """Yield a line per column: one that is empty in one copy and not in another is given."""
    every = list(lines)
    given = {line for line in every if line.included}
    yield from (line for line in every if line.reason != NOT_HERE or _as_given(line) not in given)


def _as_given(line: FieldLine) -> FieldLine:
    return replace(line, included=True, reason=GIVEN)


def _without_nobody(held: Held) -> Held:
    """Return the copy with columns of agents empty where no agent was there."""
    names = [name for name in held.frame.columns if group_of(held, name) == FieldGroup.AGENT_REF]
    there = [
        pl.when(pl.col(name).str.strip_chars().str.to_lowercase() != NO_AGENT).then(pl.col(name)).alias(name)
        for name in names
    ]
    return replace(held, frame=held.frame.with_columns(there))


def _screened(found: Found, held: Held) -> tuple[Held, set[tuple[str, str]]]:
    """Return the copy without notes that quote somebody else, and those notes, each with its exchange."""
    key, frame = found.target.key, held.frame
    gone: set[tuple[str, str]] = set()
    for name in frame.columns:
        is_free = group_of(held, name) in (FieldGroup.NOTE_FREE_TEXT, UNASSIGNED)
        if is_free and opinion_of(name) not in held.roles:  # their own statement is theirs, whomever it names
            doubtful = of_others(frame[name], key, found.own, held.copy.contract)
            if doubtful.any():
                gone |= {(held.copy.exchange_id, note) for note in frame[name].filter(doubtful)}
                frame = frame.with_columns(pl.when(~doubtful).then(pl.col(name)).alias(name))
    raw = pl.Series(RAW, held.raw, dtype=pl.String)
    mask = of_others(raw, key, found.own, held.copy.contract)
    gone |= {(held.copy.exchange_id, record) for record in raw.filter(mask)}
    return replace(held, frame=frame, raw=tuple(raw.filter(~mask))), gone


def _tables(found: Found, held: Held, authority: Authority, agents: Agents) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield one table per field group of what may be given of a copy."""
    given = [name for name in held.frame.columns if authority.word_on(held.roles.get(name), held.agreement) == GIVEN]
    groups = dict.fromkeys(group_of(held, name) for name in given)
    for group in groups:
        cells = held.frame.select(name for name in given if group_of(held, name) == group)
        cells = cells.with_columns(pl.when(pl.all() != "").then(pl.all()))
        cells = cells.filter(~pl.all_horizontal(pl.all().is_null()))
        if group == FieldGroup.AGENT_REF:
            cells = cells.with_columns(agents.hide(cells[name]) for name in cells.columns)
        elif group == UNASSIGNED:
            cells = cells.with_columns(agents.hide_unexplained(cells[name]) for name in cells.columns)
        if cells.height:
            yield group, _marked(found, held, cells)
    if held.raw and authority.gives_all_of(held.copy.contract.fields if held.copy.contract else (), held.agreement):
        records = agents.hide_words(pl.Series(RAW, held.raw, dtype=pl.String))
        yield UNASSIGNED, _marked(found, held, records.to_frame())


def _marked(found: Found, held: Held, cells: pl.DataFrame) -> pl.DataFrame:
    day = received_on(held.copy.closed_at).isoformat() if held.copy.closed_at else None
    words = {
        COMPANY: found.company,
        DATASET: held.dataset,
        DAY: day,
        EXCHANGE: held.copy.exchange_id,
        KEPT_IN: held.store,
    }
    return cells.select(*(pl.lit(word, pl.String).alias(name) for name, word in words.items()), pl.all())


def _together(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Join parts to one table; equal rows of one exchange are one row, with every place that keeps them."""
    whole = pl.concat(parts, how="diagonal")
    same = [name for name in whole.columns if name != KEPT_IN]
    kept = pl.col(KEPT_IN).unique(maintain_order=True).str.join("; ")
    return whole.group_by(same, maintain_order=True).agg(kept).select(whole.columns)
