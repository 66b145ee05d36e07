"""What the second scan looks for: the person's identifiers in every spelling that their rows had.

Gathered before anything is erased and sealed beside the case, because afterwards no row is left to
read them from.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from sluice.exchange.house import House
from sluice.rights.erase_bench import Bench
from sluice.rights.erase_files import REF, ref_columns, refs_of_others, words_of_others
from sluice.rights.erase_lead import find_lead
from sluice.rights.erase_model import Copy
from sluice.rights.erase_store import ARRIVED
from sluice.rights.identifiers import decrypt, encrypt
from sluice.rights.model import CaseId
from sluice.scan.spell import COUNTRY_CODE, SEPARATORS, compact_of
from sluice.subject.columns import normalise_column
from sluice.subject.refs import ref_column
from sluice.terms import Principal, SubjectKind

CANONICAL = ("phone", "record_id")
"""Identifying columns of canonical results, whatever the platform calls them."""
LAKE = "lake"
WORDS_AT_ONCE = 1_000_000
ONE_WORD, LONG = r"^\S{1,100}$", r"\d{8}"
"""Cells that are one word, in which an id may stand; a text that quotes a telephone is none, or the number is alone."""
RUN = re.compile(r"\+?\d+")
TEN = 10
"""Digits of a number in the countries of 1 and 7."""


@dataclass(frozen=True, slots=True)
class Needles:
    """``values``: what the scan looks for. ``shared``: what it must not, because other persons have it too."""

    values: frozenset[str] = field(default=frozenset(), repr=False)
    shared: frozenset[str] = field(default=frozenset(), repr=False)

    def __or__(self, other: "Needles") -> "Needles":
        shared = self.shared | other.shared
        return Needles((self.values | other.values) - shared, shared)


def spellings(bench: Bench, copies: Sequence[Copy], known: Iterable[str] = ()) -> Needles:
    """How the person's identifiers are written in accepted rows, and which of them stand in rows of others too.

    A family has one telephone; what the person asked by is theirs all the same, and never counts as shared.
    known: what was found before, and may be in rows of others that came since.
    """
    found = set(known)
    kinds = {column.kind for copy in copies if copy.kind == LAKE for column in copy.columns}
    lead = find_lead(bench, copies)
    for copy in copies:
        if copy.kind == LAKE and lead.may_hold(copy) and (path := bench.fetch(copy)):
            found.update(_written(bench, copy, path))
    refs = _refs_of(bench, sorted(found), kinds)
    others = _refs_of_others(bench, copies, frozenset(refs)) if refs else frozenset()
    shared = frozenset(value for ref in others for value in refs[ref])
    return Needles(frozenset(found) - shared, shared)


def _written(bench: Bench, copy: Copy, path: Path) -> Iterator[str]:
    rows = pl.scan_parquet(path)
    names = [name for name in rows.collect_schema().names() if name in identifying(copy)]
    for column in rows.filter(_mine(bench, path)).select(names).collect().get_columns() if names else ():
        yield from column.drop_nulls().to_list()


def longer_words(bench: Bench, copies: Iterable[Copy], values: Iterable[str]) -> dict[str, set[str]]:
    """By value, the longer ones that hold it in rows which do not name the person; as :func:`held_in`.

    Of columns that identify nobody only long numbers count, such as the id of a recording, which hold it by chance.
    """
    spelled, listed = forms_of(values), list(copies)
    lake = {copy.exchange_id for copy in listed if copy.kind == LAKE}
    whole = lake - {copy.exchange_id for copy in listed if copy.kind.startswith("quarantine.")}
    found: dict[str, set[str]] = {}
    for column in _gathered(column for copy in listed for column in _of_others(bench, copy, whole)):
        for value, words in held_in(column, spelled).items():
            found.setdefault(value, set()).update(words)
    for column in _gathered(column for copy in listed for column in _numbers_of_others(bench, copy)):
        for value, words in held_in(column, spelled).items():
            by_chance = {word for word in words if is_by_chance(word, value)}
            found.setdefault(value, set()).update(by_chance)
    return found


def _gathered(columns: Iterable[pl.Series]) -> Iterator[pl.Series]:
    """Their words, many columns at a time: each question for words costs what all forms of all values do."""
    waiting = [pl.Series(dtype=pl.String)]
    for column in columns:
        waiting.append(column.cast(pl.String).drop_nulls().unique())
        if sum(map(len, waiting)) >= WORDS_AT_ONCE:
            yield pl.concat(waiting)
            waiting = waiting[:1]
    yield pl.concat(waiting)


def _of_others(bench: Bench, copy: Copy, whole: Collection[str]) -> Iterator[pl.Series]:
    """Identifying columns of others' accepted rows; as they came, of a file that was not accepted ``whole``."""
    is_as_it_came = copy.kind == ARRIVED and copy.exchange_id not in whole
    path = bench.fetch(copy) if copy.kind == LAKE or is_as_it_came else None
    if path is None:
        return
    if is_as_it_came:
        yield from words_of_others(path, copy.key, copy.contract, copy.columns, bench.target, bench.limits)
        return
    rows = pl.scan_parquet(path).filter(~_mine(bench, path))
    names = [name for name in rows.collect_schema().names() if name in identifying(copy)]
    yield from rows.select(names).collect().get_columns()


def _numbers_of_others(bench: Bench, copy: Copy) -> Iterator[pl.Series]:
    """Cells of one word with a long number, in columns of others' accepted rows that identify nobody."""
    path = bench.fetch(copy) if copy.kind == LAKE else None
    if path is None:
        return
    rows = pl.scan_parquet(path).filter(~_mine(bench, path))
    columns = rows.collect_schema().items()
    names = [
        name for name, kind in columns if kind == pl.String and name not in {*identifying(copy), *ref_columns(path)}
    ]
    for column in rows.select(names).collect().get_columns() if names else ():
        words = column.cast(pl.String).unique()
        yield words.filter(words.str.contains(ONE_WORD).fill_null(False) & words.str.contains(LONG).fill_null(False))


def is_by_chance(word: str, value: str) -> bool:
    """Whether digits of a value stand in longer numbers of a word only, and not as somebody dials or writes them.

    158470642 holds 58470642, which is +32 58 47 06 42 at home; 3258470642 and 058470642 are that number.
    """
    forms = [form for form in compact_of(value) if form.isdigit() and form in word]
    runs = [run for run in RUN.findall(word) if any(form in run for form in forms)]
    return bool(runs) and all(_is_longer(run, form) for run in runs for form in forms if form in run)


def _is_longer(run: str, form: str) -> bool:
    before, _, after = run.partition(form)
    return run[0] not in "+0" and (
        bool(after) or not any(_is_dialled(each, form) for each in (before, before.removesuffix("0")))
    )


def _is_dialled(before: str, form: str) -> bool:
    """Whether somebody dials this before a number: a country code, or what leads out of a house or a town."""
    if before in {"1", "7"}:
        return len(form) == TEN
    return before in {"", "8", "9"} or COUNTRY_CODE.fullmatch(before) is not None


def forms_of(values: Iterable[str]) -> dict[str, set[str]]:
    """Values by how each can be written: as it is, and without separators or the prefix of a telephone number."""
    found: dict[str, set[str]] = {}
    for value in values:
        for form in {value, *compact_of(value)}:
            found.setdefault(form.lower(), set()).add(value)
    return found


def held_in(words: pl.Series, spelled: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    """By value, the words that hold it and are not the same value in another spelling.

    As jan.claes@post.example holds an.claes@post.example, and +32 3 868 17 73 the digits 2 386 81 77 of a number in
    Brussels: inside them, those say nothing of who has them.
    """
    word = words.str.to_lowercase().drop_nulls().unique().to_frame("word")
    bare = pl.col("word").str.replace_all(SEPARATORS.pattern, "")
    parts = [each.str.extract_many(sorted(spelled), overlapping=True) for each in (pl.col("word"), bare)]
    inside = word.select("word", pl.concat_list(parts).alias("part")).explode("part").drop_nulls()
    found: dict[str, set[str]] = {}
    for longer, part in inside.unique().rows():
        same = {longer, *(form.lower() for form in compact_of(longer))}
        for value in spelled[part]:
            if same.isdisjoint({value.lower(), *(form.lower() for form in compact_of(value))}):
                found.setdefault(value, set()).add(longer)
    return found


def _mine(bench: Bench, path: Path) -> pl.Expr:
    refs = sorted(bench.target.refs)
    return pl.any_horizontal(pl.col(name).is_in(refs).fill_null(False) for name in ref_columns(path))


def _refs_of(bench: Bench, values: list[str], kinds: Iterable[SubjectKind]) -> dict[str, set[str]]:
    """Values by the references they give; those the person asked by are left out."""
    found: dict[str, set[str]] = {}
    written = pl.Series(values, dtype=pl.String)
    for kind in kinds:
        refs = ref_column(normalise_column(written, kind).values, kind, bench.target.key)
        for value, ref in zip(values, refs.to_list(), strict=True):
            if ref is not None and ref not in bench.target.refs:
                found.setdefault(ref, set()).add(value)
    return found


def _refs_of_others(bench: Bench, copies: Sequence[Copy], refs: frozenset[str]) -> frozenset[str]:
    """Which of these references rows have that do not name the person, accepted or as they came."""
    found: set[str] = set()
    lead = find_lead(bench, copies, refs)
    for copy in copies:
        if copy.kind in (LAKE, ARRIVED) and lead.may_hold(copy):
            name = (copy.exchange_id, copy.kind, copy.version_id)
            asked, _ = bench.known.others.get(name, (frozenset(), frozenset()))
            if not refs <= asked:
                bench.known.others[name] = refs, _of_others_in(bench, copy, refs)
            found |= bench.known.others[name][1] & refs
    return frozenset(found)


def _of_others_in(bench: Bench, copy: Copy, refs: frozenset[str]) -> frozenset[str]:
    path = bench.fetch(copy)
    if path is None:
        return frozenset()
    if copy.kind == LAKE:
        others = pl.scan_parquet(path).filter(~_mine(bench, path)).select(ref_columns(path)).collect()
        columns: Iterable[pl.Series] = others.get_columns()
    else:
        columns = refs_of_others(path, copy.key, copy.contract, copy.columns, bench.target, bench.limits)
    among = sorted(refs)
    return frozenset(ref for one in columns for ref in one.filter(one.is_in(among).fill_null(False)).to_list())


def identifying(copy: Copy) -> frozenset[str]:
    """Columns of a lake object that hold identifiers as they were written."""
    return frozenset({column.name for column in copy.columns} | set(CANONICAL)) - {REF}


def remember(house: House, case_id: CaseId, principal: Principal, found: Needles) -> Needles:
    """Add to what is sealed for this case and principal; all of it."""
    every = recall(house, case_id, principal) | found
    told = {"values": sorted(every.values), "shared": sorted(every.shared)}
    content = encrypt(house.keyring, json.dumps(told).encode())
    house.objects.put_converging(
        house.settings.bucket_vault, _key(case_id, principal), content, "application/octet-stream"
    )
    house.objects.delete_others(
        house.settings.bucket_vault,
        _key(case_id, principal),
        frozenset({_current(house, case_id, principal)}),
    )
    return every


def recall(house: House, case_id: CaseId, principal: Principal) -> Needles:
    """What was remembered before."""
    if house.objects.head(house.settings.bucket_vault, _key(case_id, principal)) is None:
        return Needles()
    sealed = house.objects.read(house.settings.bucket_vault, _key(case_id, principal))
    told = json.loads(decrypt(house.keyring, sealed))
    return Needles(*(frozenset(told[name]) for name in ("values", "shared")))


def _current(house: House, case_id: CaseId, principal: Principal) -> str:
    head = house.objects.head(house.settings.bucket_vault, _key(case_id, principal))
    return head.version_id if head else ""


def _key(case_id: CaseId, principal: Principal) -> str:
    return f"_cases/{case_id}/needles-{principal}.age"
