"""What files say about being contacted over a channel, each read by the contract that it came under. Pure.

A later contract may name a column otherwise, let other cells mean yes, or have no such column any more: what a person
said stays said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from sluice.agreement.model import DataContract, FieldRole
from sluice.lake_columns import REF, is_ref

AGE, LAST_WORD = "sluice_age", "last_word."
"""AGE: number of a row's file, oldest first. LAST_WORD: prefix to the name of a consent column, for the last word in
it."""
SAID, SAID_AT = "sluice_said_at", "said_at."
"""SAID: the moment from which a row's content dates (UTC). SAID_AT: prefix to a consent column, for that of its last
word."""
YES, NO, ELSE = "yes", "no", "yes to something else"
"""Words. ELSE: a yes that is none to the purpose of the list; it takes back a no of its column all the same."""

PLACE, AT = "place", "at"
NUMBER, SAID_BY = "sluice_number", "said_by"
NOES: dict[str, type[pl.DataType] | pl.DataType] = {
    REF: pl.String, "name": pl.String, PLACE: pl.Int64, AT: pl.Datetime("us", "UTC")
}  # fmt: skip
"""Columns of noes from rows that were not accepted, one row for each reference of such a row. ``name``: of the consent
column. PLACE: how many accepted files are not younger. AT: from when it dates (UTC)."""
NO_PLACE, NO_AT = "no_place.", "no_at."
"""Prefixes to the name of a consent column: PLACE and AT of the youngest such no of a row's person."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the files of one contract are read. ``ages``: numbers of these files, as in AGE.

    ``columns``: by the name of each consent column of the channel in any file, the column in which these files have a
    word about it: that one, or the one that follows it. A yes in it counts for no more than its ``purpose_iris``.
    ``unmarked``: names of those that this contract did not say to hold consent: a yes there is no word.
    """

    ages: frozenset[int]
    columns: Mapping[str, FieldRole]
    unmarked: frozenset[str] = frozenset()


def readings_of(contracts: Sequence[DataContract], today: Sequence[FieldRole], channel: str) -> tuple[Reading, ...]:
    """How to read files, one contract each, oldest first. ``today``: consent columns of the contract in force.

    ``channel``: its word in agreements.
    """
    ages: dict[str, set[int]] = {}
    for age, contract in enumerate(contracts):
        ages.setdefault(contract.sha256, set()).add(age)
    known = {contract.sha256: contract for contract in contracts}
    versions = [_consents(contract, channel) for contract in known.values()]
    return tuple(
        Reading(
            frozenset(ages[key]),
            _columns(known[key], versions, today, channel),
            frozenset(field.name for field in today if field.name not in _marked(known[key])),
        )
        for key in known
    )


def _consents(contract: DataContract, channel: str) -> tuple[FieldRole, ...]:
    return tuple(field for field in contract.fields if field.consent_channel == channel)


def _marked(contract: DataContract) -> frozenset[str]:
    return frozenset(field.name for field in contract.fields if field.consent_channel)


def _columns(
    contract: DataContract, versions: Sequence[Sequence[FieldRole]], today: Sequence[FieldRole], channel: str
) -> dict[str, FieldRole]:
    """The columns of a reading. ``versions``: consent columns of every contract.

    A column that follows another is read under both names, so that a word in it never stands for that of a third one.
    A yes counts for the purposes that today's contract gives the column, or the one that follows it, as well.
    """
    own = _consents(contract, channel)
    columns = {field.name: replace(field, purpose_iris=()) for field in today if field.name not in _marked(contract)}
    for name in {field.name for version in versions for field in version} - {field.name for field in contract.fields}:
        if follower := _find_now(name, versions, own):
            columns[name] = replace(follower, purpose_iris=())
    for field in own:
        now = _find_now(field.name, versions, today)
        both = tuple(iri for iri in field.purpose_iris if now and iri in now.purpose_iris)
        columns[field.name] = replace(field, purpose_iris=both)
    return columns


def _find_now(name: str, versions: Sequence[Sequence[FieldRole]], now: Sequence[FieldRole]) -> FieldRole | None:
    """The column among ``now`` of this name, or else the one that follows it whichever version it stands in."""
    if same := next((field for field in now if field.name == name), None):
        return same
    found = [_follower(field, version, now) for version in versions for field in version if field.name == name]
    first = found[0] if found else None
    return first if first and all(each and each.name == first.name for each in found) else None


def _follower(column: FieldRole, before: Sequence[FieldRole], now: Sequence[FieldRole]) -> FieldRole | None:
    """The column of a version that follows one of another version, which it no longer has; None if none clearly does.

    It is new, is for all purposes of that column, is the only such one, and is so for no other column that went.
    """
    known, kept = {each.name for each in before}, {each.name for each in now}
    new = [each for each in now if each.name not in known and set(column.purpose_iris) <= set(each.purpose_iris)]
    if len(new) != 1:
        return None
    gone = [each for each in before if each.name not in kept and set(each.purpose_iris) <= set(new[0].purpose_iris)]
    return new[0] if len(gone) == 1 else None


def names_of(readings: Sequence[Reading]) -> tuple[str, ...]:
    """Every name that a consent column of these files goes by."""
    return tuple(dict.fromkeys(name for reading in readings for name in reading.columns))


def last_words(rows: pl.DataFrame, readings: Sequence[Reading], iri: str) -> list[pl.Expr]:
    """The last word in each consent column, by person, under LAST_WORD: an empty cell takes nothing back.

    Of two words in one file, neither of which is younger, the no counts.

    ``iri``: the purpose asked for; a yes counts for it if its column has it in the reading (GDPR Art. 4(11)). Rows must
    be sorted oldest first. For a row whose person is not known, only its own cell counts. With SAID in the rows, when
    it was said too, under SAID_AT.
    """
    words = list[pl.Expr]()
    for name in names_of(readings):
        said = pl.coalesce(
            pl.lit(None, pl.String),
            *(
                pl.when(pl.col(AGE).is_in(sorted(reading.ages))).then(_word(column, iri, reading.unmarked))
                for reading in readings
                if (column := reading.columns.get(name)) and column.name in rows.columns
            ),
        )
        said = pl.when(_of_same_file(said == NO)).then(pl.lit(NO)).otherwise(said)
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

    A no is a person's if any reference of any row of theirs is in it: of such a row the identifier itself may be what
    is wrong, so that the telephone alone says whose it is. Whoever shares the telephone is not called either. A no
    counts for each column unless a younger accepted file has a word of that person in the same column.
    """
    numbered = rows.with_row_index(NUMBER)
    for name in sorted(set(noes["name"])):
        youngest = _youngest(noes.filter(name=name), REF).select(pl.col(REF).alias(SAID_BY), PLACE, AT)
        found = [
            numbered.select(NUMBER, REF, pl.col(column).alias(SAID_BY)).join(youngest, on=SAID_BY)
            for column in rows.columns
            if is_ref(column)
        ]
        marks = (pl.col(PLACE).alias(f"{NO_PLACE}{name}"), pl.col(AT).alias(f"{NO_AT}{name}"))
        of_rows = _youngest(pl.concat(found), NUMBER)
        of_persons = _youngest(of_rows.drop_nulls(REF), REF).select(REF, *marks)
        of_nobody = of_rows.filter(pl.col(REF).is_null()).select(NUMBER, *marks)
        known, unknown = numbered.filter(pl.col(REF).is_not_null()), numbered.filter(pl.col(REF).is_null())
        numbered = pl.concat(
            [known.join(of_persons, on=REF, how="left"), unknown.join(of_nobody, on=NUMBER, how="left")]
        ).sort(NUMBER)
    return numbered.drop(NUMBER)


def _youngest(noes: pl.DataFrame, of: str) -> pl.DataFrame:
    """The youngest no of each value of a column."""
    return noes.sort(PLACE, AT).unique(of, keep="last")


def _word(column: FieldRole, iri: str, unmarked: frozenset[str]) -> pl.Expr:
    """The word in each cell of a column; null for an empty one, and for a yes where nobody said that it is one."""
    yes = None if column.name in unmarked else YES if iri in column.purpose_iris else ELSE
    is_yes = pl.col(column.name).is_in(list(column.consent_given))
    return pl.when(says_no(column)).then(pl.lit(NO)).when(is_yes & _has_word(column)).then(pl.lit(yes))


def says_no(column: FieldRole) -> pl.Expr:
    """Whether each cell of a consent column says no: whatever it holds that does not mean yes."""
    return _has_word(column) & ~pl.col(column.name).is_in(list(column.consent_given))


def _has_word(column: FieldRole) -> pl.Expr:
    cell = pl.col(column.name)
    return (cell.is_not_null() & (cell.str.strip_chars() != "")).fill_null(False)


def _of_same_file(is_no: pl.Expr) -> pl.Expr:
    """Whether a row or another one of its person in the same file, which is no younger, says no."""
    return pl.when(pl.col(REF).is_null()).then(is_no).otherwise(is_no.any().over(REF, AGE)).fill_null(False)


def _of_person(said: pl.Expr) -> pl.Expr:
    return pl.when(pl.col(REF).is_null()).then(said).otherwise(said.forward_fill().over(REF))
