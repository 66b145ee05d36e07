"""Gather what the second scan looks for: the person's identifiers in every spelling that their rows had.

They are gathered before anything is erased and are sealed beside the case, because afterwards there are no rows
left to read them from.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from sluice.exchange.house import House
from sluice.lake_columns import REF
from sluice.ledger.copy_kinds import ARRIVED, LAKE
from sluice.media_types import OCTETS
from sluice.rights.case.model import CaseId
from sluice.rights.copies.bench import Bench
from sluice.rights.copies.files import ref_columns, refs_of_others, words_of_others
from sluice.rights.copies.lead import find_lead
from sluice.rights.copies.model import Copy
from sluice.rights.person.sealed import decrypt, encrypt
from sluice.scan.spell import COUNTRY_CODE, PHONE, SEPARATORS, compact_of
from sluice.subject.columns import normalise_column
from sluice.subject.customer import without_zeros
from sluice.subject.refs import ref_column
from sluice.terms import Principal, SubjectKind

CANONICAL = ("phone", "record_id")
"""Identifying columns of canonical results, whatever the platform calls them."""
WORDS_AT_ONCE = 1_000_000
ID, LONG = r"^[0-9/._-]*[A-Za-z][A-Za-z0-9/._-]{0,100}$", r"\d{9}"
"""Cells that may be an id. They have a letter, so that a number written in groups does not count, and no quotes or
escapes."""
LONGEST_HOME = 9
"""Most digits of a telephone number, as dialled at home, that may occur by chance. Ten digits, as in the countries 1
and 7, do not."""


@dataclass(frozen=True, slots=True)
class Needles:
    """``values``: what the scan looks for. ``shared``: what it must not look for, because other persons have it too.

    ``refs``: the references by which the person was first looked for; the corrections that they lead to go with
    them.
    """

    values: frozenset[str] = field(default=frozenset(), repr=False)
    shared: frozenset[str] = field(default=frozenset(), repr=False)
    refs: frozenset[str] = field(default=frozenset(), repr=False)

    def __or__(self, other: "Needles") -> "Needles":
        shared = self.shared | other.shared
        return Needles((self.values | other.values) - shared, shared, self.refs | other.refs)


def spellings(bench: Bench, copies: Sequence[Copy], known: Iterable[str] = ()) -> Needles:
    """How the person's identifiers are written in accepted rows, and which of these stand in rows of others too.

    A family has one telephone. What the person asked by never counts as shared, because it is theirs all the same.
    known: values found before; rows of others that came since may have them as well.
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
    return Needles(frozenset(found) - shared, shared, bench.target.refs)


def _written(bench: Bench, copy: Copy, path: Path) -> Iterator[str]:
    rows = pl.scan_parquet(path)
    names = [name for name in rows.collect_schema().names() if name in identifying(copy)]
    numbers = {column.name for column in copy.columns if column.kind is SubjectKind.PRINCIPAL_CUSTOMER_ID}
    for column in rows.filter(_mine(bench, path)).select(names).collect().get_columns() if names else ():
        written = column.drop_nulls().to_list()
        yield from written
        if column.name in numbers:
            yield from filter(None, (without_zeros(value, bench.target.key) for value in written))


def longer_words(bench: Bench, copies: Iterable[Copy], values: Iterable[str]) -> dict[str, set[str]]:
    """By value, the longer words that contain it, in rows that do not name the person; as :func:`held_in`.

    In columns that identify nobody only ids count, such as the name of a recording, that contain a telephone by
    chance.
    """
    spelled, listed = forms_of(values), list(copies)
    lake = {copy.exchange_id for copy in listed if copy.kind == LAKE}
    whole = lake - {copy.exchange_id for copy in listed if copy.kind.startswith("quarantine.")}
    found: dict[str, set[str]] = {}
    for column in _gathered(column for copy in listed for column in _of_others(bench, copy, whole)):
        for value, words in held_in(column, spelled).items():
            found.setdefault(value, set()).update(words)
    homes = homes_of(spelled)
    ids = (column for copy in listed for column in _ids_of_others(bench, copy))
    for column in _gathered(ids) if homes else ():
        for value, words in held_in(column, homes).items():
            by_chance = {word for word in words if is_by_chance(word, value)}
            found.setdefault(value, set()).update(by_chance)
    return found


def _gathered(columns: Iterable[pl.Series]) -> Iterator[pl.Series]:
    """Their words, many columns at a time: each search prepares all forms of all values, even for few words."""
    waiting = [pl.Series(dtype=pl.String)]
    for column in columns:
        waiting.append(column.cast(pl.String).drop_nulls().unique())
        if sum(map(len, waiting)) >= WORDS_AT_ONCE:
            yield pl.concat(waiting)
            waiting = waiting[:1]
    yield pl.concat(waiting)


def _of_others(bench: Bench, copy: Copy, whole: Collection[str]) -> Iterator[pl.Series]:
    """Identifying columns of others' accepted rows, or of others' rows as they came if not all of a file was accepted.

    whole: exchanges of which everything was accepted.
    """
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


def _ids_of_others(bench: Bench, copy: Copy) -> Iterator[pl.Series]:
    """Cells that are an id with a long number, in columns of others' accepted rows that identify nobody."""
    path = bench.fetch(copy) if copy.kind == LAKE else None
    if path is None:
        return
    rows = pl.scan_parquet(path).filter(~_mine(bench, path))
    known = {*identifying(copy), *ref_columns(path)}
    for name, kind in rows.collect_schema().items():
        if kind == pl.String and name not in known:
            is_id = pl.col(name).str.contains(ID) & pl.col(name).str.contains(LONG)
            yield rows.select(name).filter(is_id.fill_null(False)).unique().collect().to_series()


def homes_of(spelled: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    """Telephone values by the number as it is dialled at home, without the zero before it."""
    found: dict[str, set[str]] = {}
    for value in {each for values in spelled.values() for each in values}:
        if (home := _home_of(value)) is not None:
            found.setdefault(home, set()).add(value)
    return found


def _home_of(value: str) -> str | None:
    if not PHONE.fullmatch(SEPARATORS.sub("", value)):
        return None
    home = min(compact_of(value), key=len)
    return None if home.startswith("0") or len(home) > LONGEST_HOME else home


def is_by_chance(word: str, value: str) -> bool:
    """Whether an id contains a telephone number by chance: once, as dialled at home, inside or ending a longer number.

    recordings/158470642.wav contains 58470642, which is +32 58 47 06 42. It is not by chance where it may be the
    telephone: at the beginning of a number, after digits that somebody dials before it, in another of its forms, or
    if it is there in groups as well.
    """
    home, bare = _home_of(value), SEPARATORS.sub("", word)
    if home is None or not re.fullmatch(ID, word) or len(_places(home, word)) != 1 or len(_places(home, bare)) != 1:
        return False
    if any(form in bare for form in compact_of(value) if form != home):
        return False
    [before] = (run[: run.index(home)] for run in re.findall(r"\d+", word) if home in run)
    return before[:1] not in ("", "0") and not any(_is_dialled(each) for each in (before, before.removesuffix("0")))


def _places(home: str, word: str) -> list[int]:
    return [at for at in range(len(word)) if word.startswith(home, at)]


def _is_dialled(before: str) -> bool:
    """Whether somebody dials this before a number: a country code, or a prefix that leads out of a house or a town."""
    return before in {"", "8", "9"} or (before not in {"1", "7"} and COUNTRY_CODE.fullmatch(before) is not None)


def forms_of(values: Iterable[str]) -> dict[str, set[str]]:
    """Values by the forms in which each can be written: as it is, and without separators or telephone prefix."""
    found: dict[str, set[str]] = {}
    for value in values:
        for form in {value, *compact_of(value)}:
            found.setdefault(form.lower(), set()).add(value)
    return found


def held_in(words: pl.Series, spelled: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    """By value, the words that contain it and are not the same value in another spelling.

    jan.claes@post.example contains an.claes@post.example, and +32 3 868 17 73 contains the digits 2 386 81 77 of a
    number in Brussels. Inside these words, the values do not tell that the person is meant.
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
    """Values by the references that they give, without those that the person asked by."""
    found: dict[str, set[str]] = {}
    written = pl.Series(values, dtype=pl.String)
    for kind in kinds:
        refs = ref_column(normalise_column(written, kind).values, kind, bench.target.key)
        for value, ref in zip(values, refs.to_list(), strict=True):
            if ref is not None and ref not in bench.target.refs:
                found.setdefault(ref, set()).add(value)
    return found


def _refs_of_others(bench: Bench, copies: Sequence[Copy], refs: frozenset[str]) -> frozenset[str]:
    """Those of these references that stand in rows which do not name the person, accepted or as they came."""
    found: set[str] = set()
    lead = find_lead(bench, copies, refs)
    for copy in copies:
        if copy.kind in (LAKE, ARRIVED) and lead.may_hold(copy):
            asked, _ = bench.known.others.get(copy.name, (frozenset(), frozenset()))
            if not refs <= asked:
                bench.known.others[copy.name] = refs, _of_others_in(bench, copy, refs)
            found |= bench.known.others[copy.name][1] & refs
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
    """Add these needles to those sealed for this case and principal; return all of them."""
    every = recall(house, case_id, principal) | found
    told = {"values": sorted(every.values), "shared": sorted(every.shared), "refs": sorted(every.refs)}
    content = encrypt(house.keyring, json.dumps(told).encode())
    house.objects.put_converging(house.settings.bucket_vault, _key(case_id, principal), content, OCTETS)
    house.objects.delete_others(
        house.settings.bucket_vault,
        _key(case_id, principal),
        frozenset({_current(house, case_id, principal)}),
    )
    return every


def recall(house: House, case_id: CaseId, principal: Principal) -> Needles:
    """The needles that were remembered before; none if there are none."""
    if house.objects.head(house.settings.bucket_vault, _key(case_id, principal)) is None:
        return Needles()
    sealed = house.objects.read(house.settings.bucket_vault, _key(case_id, principal))
    told = json.loads(decrypt(house.keyring, sealed))
    return Needles(*(frozenset(told.get(name, ())) for name in ("values", "shared", "refs")))


def _current(house: House, case_id: CaseId, principal: Principal) -> str:
    head = house.objects.head(house.settings.bucket_vault, _key(case_id, principal))
    return head.version_id if head else ""


def _key(case_id: CaseId, principal: Principal) -> str:
    return f"_cases/{case_id}/needles-{principal}.age"
