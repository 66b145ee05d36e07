"""What files say about being contacted over a channel, each read by the contract that it came under. Pure.

A later contract may name a column otherwise, let other cells mean yes, or have no such column any more: what a person
said stays said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from sluice.agreement.model import DataContract, FieldRole
from sluice.lake_columns import REF

AGE, LAST_WORD = "sluice_age", "last_word."
"""AGE: number of a row's file, oldest first. LAST_WORD: prefix to the name of a consent column, for the last word in
it."""
SAID, SAID_AT = "sluice_said_at", "said_at."
"""SAID: the moment from which a row's content dates (UTC). SAID_AT: prefix to a consent column, for that of its last
word."""
YES, NO, ELSE = "yes", "no", "yes to something else"
"""Words. ELSE: a yes that is none to the purpose of the list; it takes back a no of its column all the same."""

PLACE, AT = "place", "at"
NOES: dict[str, type[pl.DataType] | pl.DataType] = {
    REF: pl.String, "name": pl.String, PLACE: pl.Int64, AT: pl.Datetime("us", "UTC")
}  # fmt: skip
"""Columns of noes from rows that were not accepted. ``name``: of the consent column, as today. PLACE: how many accepted
files are not younger. AT: from when it dates (UTC)."""
NO_PLACE, NO_AT = "no_place.", "no_at."
"""Prefixes to the name of a consent column: PLACE and AT of the youngest such no of a row's person."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the files of one contract are read. ``ages``: numbers of these files, as in AGE.

    ``columns``: consent columns of the channel as that contract has them, by the name that they go by today.
    """

    ages: frozenset[int]
    columns: Mapping[str, FieldRole]


def readings_of(contracts: Sequence[DataContract], today: Sequence[FieldRole], channel: str) -> tuple[Reading, ...]:
    """How to read files, one contract each, oldest first. ``today``: consent columns of the contract in force.

    ``channel``: its word in agreements.
    """
    ages: dict[str, set[int]] = {}
    for age, contract in enumerate(contracts):
        ages.setdefault(contract.sha256, set()).add(age)
    known = {contract.sha256: contract for contract in contracts}
    return tuple(Reading(frozenset(ages[key]), _columns(known[key], today, channel)) for key in known)


def _columns(contract: DataContract, today: Sequence[FieldRole], channel: str) -> dict[str, FieldRole]:
    """Consent columns of a contract, by today's names, with those that only today's contract says to hold consent."""
    own = [field for field in contract.fields if field.consent_channel == channel]
    marked = {field.name for field in contract.fields if field.consent_channel}
    later = {field.name: field for field in today if field.name not in marked}
    return later | {_name_today(field, own, today): field for field in own}


def _name_today(column: FieldRole, own: Sequence[FieldRole], today: Sequence[FieldRole]) -> str:
    """The name that a consent column goes by today; its own if no column of today clearly follows it.

    A column follows it if it is new, is for all of its purposes, and is the only such column for the only such one.
    """
    before, now = {each.name for each in own}, {each.name for each in today}
    if column.name in now:
        return column.name
    purposes = frozenset(column.purpose_iris)
    new = [each.name for each in today if each.name not in before and purposes.issubset(each.purpose_iris)]
    gone = [each for each in own if each.name not in now and purposes == frozenset(each.purpose_iris)]
    return new[0] if len(new) == len(gone) == 1 else column.name


def names_of(readings: Sequence[Reading]) -> tuple[str, ...]:
    """Every name that a consent column of these files goes by."""
    return tuple(dict.fromkeys(name for reading in readings for name in reading.columns))


def last_words(rows: pl.DataFrame, readings: Sequence[Reading], today: Sequence[FieldRole], iri: str) -> list[pl.Expr]:
    """The last word in each consent column, by person, under LAST_WORD: an empty cell takes nothing back.

    ``iri``: the purpose asked for. A yes counts for it if the contract of its file and that of ``today`` both give the
    column this purpose (GDPR Art. 4(11)). Rows must be sorted oldest first. For a row whose person is not known, only
    its own cell counts. With SAID in the rows, when it was said too, under SAID_AT.
    """
    words, counts = list[pl.Expr](), {field.name for field in today if iri in field.purpose_iris}
    for name in names_of(readings):
        said = pl.coalesce(
            pl.lit(None, pl.String),
            *(
                pl.when(pl.col(AGE).is_in(sorted(reading.ages))).then(_word(column, name in counts, iri))
                for reading in readings
                if (column := reading.columns.get(name)) and column.name in rows.columns
            ),
        )
        has_no = f"{NO_PLACE}{name}" in rows.columns
        last = _of_person(pl.when(said.is_not_null()).then(AGE)).cast(pl.Int64).fill_null(-1)
        is_no = (pl.col(f"{NO_PLACE}{name}") > last).fill_null(False) if has_no else pl.lit(False)
        words.append(pl.when(is_no).then(pl.lit(NO)).otherwise(_of_person(said)).alias(f"{LAST_WORD}{name}"))
        if SAID in rows.columns:
            at = _of_person(pl.when(said.is_not_null()).then(SAID))
            no_at = pl.col(f"{NO_AT}{name}") if has_no else pl.lit(None)
            words.append(pl.when(is_no).then(no_at).otherwise(at).alias(f"{SAID_AT}{name}"))
    return words


def with_noes(rows: pl.DataFrame, noes: pl.DataFrame) -> pl.DataFrame:
    """The rows with the youngest no of their person in rows that were not accepted (``noes``: columns of NOES).

    It counts for each column unless a younger accepted file has a word of that person in the same column.
    """
    for name in sorted(set(noes["name"])):
        youngest = noes.filter(name=name).sort(PLACE, AT).unique(REF, keep="last")
        mine = youngest.select(REF, pl.col(PLACE).alias(f"{NO_PLACE}{name}"), pl.col(AT).alias(f"{NO_AT}{name}"))
        rows = rows.join(mine, on=REF, how="left", maintain_order="left")
    return rows


def _word(column: FieldRole, counts: bool, iri: str) -> pl.Expr:
    """The word in each cell of a column; null for an empty one."""
    yes = YES if counts and iri in column.purpose_iris else ELSE
    is_yes = pl.col(column.name).is_in(list(column.consent_given))
    return pl.when(says_no(column)).then(pl.lit(NO)).when(is_yes & _has_word(column)).then(pl.lit(yes))


def says_no(column: FieldRole) -> pl.Expr:
    """Whether each cell of a consent column says no: whatever it holds that does not mean yes."""
    return _has_word(column) & ~pl.col(column.name).is_in(list(column.consent_given))


def _has_word(column: FieldRole) -> pl.Expr:
    cell = pl.col(column.name)
    return (cell.is_not_null() & (cell.str.strip_chars() != "")).fill_null(False)


def _of_person(said: pl.Expr) -> pl.Expr:
    return pl.when(pl.col(REF).is_null()).then(said).otherwise(said.forward_fill().over(REF))
