"""The values to search for, compiled to one automaton over all their encodings."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType

import ahocorasick_rs

from sluice.scan.dates import is_date
from sluice.scan.model import ScanFailed
from sluice.scan.spell import NUMBER_MIN, SEPARATORS, binary_spellings, compact_of, numbers_of, spellings

TEXT_MIN = 5
"""Fewest characters of a searchable value: a shorter name is in other words and in any compressed megabyte."""
DIGITS_MIN = 7
"""Fewest digits of a searchable number: a postcode, a year or an amount is no trace of a person."""
DFA_BYTES = 20_000
"""Up to this size of all needles, the fast automaton fits the caches; above it would take hundreds of megabytes."""
GROUPED = "grouped"
"""Name of the encoding of a number that is found after removing the separators between its digits."""
ALONE: frozenset[tuple[bytes, bytes]] = frozenset()
"""``Label.around`` of a value that is in no longer word of others, as most are."""
INT32_END = 1 << 32
"""End of the integers that fit in four bytes, unsigned ones included."""


@dataclass(frozen=True, slots=True)
class Label:
    """The value that a needle belongs to, and the encoding."""

    value_index: int
    encoding: str
    exact: bytes | None = field(default=None, repr=False)
    """The exact bytes that must be there; None if case does not matter."""
    around: frozenset[tuple[bytes, bytes]] = field(default=frozenset(), repr=False)
    """Bytes before and after it in longer words that belong to others; a match inside such a word does not count."""
    is_date: bool = False
    """Whether the value is itself a date; otherwise a match inside a date counts as chance."""


@dataclass(frozen=True, slots=True)
class Needles:
    """All needles of a list of values. Its ``repr`` shows counts, never a value."""

    size: int
    unsearchable: tuple[int, ...]
    """Indexes of the values that are too short to search for, which must be proven absent in another way."""
    count: int
    longest: int
    """Length in bytes of the longest needle, or of the longest word around one."""
    automaton: ahocorasick_rs.BytesAhoCorasick = field(repr=False)
    labels: tuple[tuple[Label, ...], ...] = field(repr=False)
    grouped: ahocorasick_rs.BytesAhoCorasick | None = field(repr=False)
    """Automaton of numbers and ids, for text without separators."""
    grouped_labels: tuple[tuple[Label, ...], ...] = field(repr=False)
    longest_grouped: int
    int32: dict[bytes, tuple[int, ...]] = field(repr=False)
    """Four bytes -> indexes of values. Searched only where a column is known to hold such integers, or its type is
    unknown."""


def needles_of(
    values: Iterable[str],
    longer: Mapping[str, Collection[str]] = MappingProxyType({}),
    *,
    words: Iterable[str] = (),
) -> Needles:
    """Compile needles for all values, without the white space around them.

    words: texts that we made ourselves and write in one way only, searched as they are; their indexes follow those of
    the values. longer: value -> longer words of others that contain it; a match inside such a word is no hit.
    Raises ScanFailed when no value is long enough, because then nothing would be searched and all would look clean.
    """
    listed = [value.strip() for value in values]
    unsearchable = unsearchable_of(listed)
    short = frozenset(unsearchable)
    chosen = [(i, value) for i, value in enumerate(listed) if i not in short]
    ours = list(enumerate(words, len(listed)))
    if not (chosen or ours):
        raise ScanFailed
    written = {i: _written(longer.get(value, ())) for i, value in chosen}
    labelled = (pair for i, value in chosen for pair in _labelled(i, value, written[i]))
    needles = _gathered(chain(labelled, ((word.lower().encode(), Label(i, "plain")) for i, word in ours)))
    grouped = _gathered(pair for i, value in chosen for pair in _grouped(i, value, _joined(longer.get(value, ()))))
    return Needles(
        size=len(listed) + len(ours),
        unsearchable=unsearchable,
        count=len(needles),
        longest=max(map(len, chain(needles, *written.values()))),
        automaton=_automaton(list(needles)),
        labels=tuple(map(tuple, needles.values())),
        grouped=_automaton(list(grouped)) if grouped else None,
        grouped_labels=tuple(map(tuple, grouped.values())),
        longest_grouped=max(map(len, grouped), default=0),
        int32=_int32(chosen),
    )


def unsearchable_of(values: Sequence[str]) -> tuple[int, ...]:
    """Indexes of the values that are too short to search for."""
    return tuple(i for i, value in enumerate(values) if not is_searchable(value))


def is_searchable(value: str) -> bool:
    """Whether a value is long enough for a match to mean something; separators do not count."""
    bare = re.sub(r"[\W_]", "", value)
    return len(bare) >= (DIGITS_MIN if bare.isdigit() else TEXT_MIN)


def _written(words: Iterable[str]) -> frozenset[bytes]:
    """These words in every encoding in which case does not matter."""
    return frozenset(one.needle.lower() for word in words for one in spellings(word.strip()) if not one.exact)


def _joined(words: Iterable[str]) -> frozenset[bytes]:
    """These words without separators."""
    bare = (form for word in words for form in (SEPARATORS.sub("", word.strip()), *compact_of(word)))
    return frozenset(form.lower().encode() for form in bare)


def _labelled(index: int, value: str, words: Collection[bytes]) -> Iterator[tuple[bytes, Label]]:
    numbers = (spelling for number in numbers_of(value) for spelling in binary_spellings(int(number)))
    for spelling in (*spellings(value), *numbers):
        needle = spelling.needle.lower()
        if spelling.exact:
            yield needle, Label(index, spelling.encoding, spelling.needle)
        else:
            yield needle, Label(index, spelling.encoding, around=_around(needle, words))


def _grouped(index: int, value: str, words: Collection[bytes]) -> Iterator[tuple[bytes, Label]]:
    """Like :func:`_labelled`, for text without separators: numbers and ids that are long enough."""
    for bare in compact_of(value):
        if len(bare) >= DIGITS_MIN:
            needle = bare.lower().encode()
            yield needle, Label(index, GROUPED, None, _around(needle, words), is_date(value))


def _around(needle: bytes, words: Collection[bytes]) -> frozenset[tuple[bytes, bytes]]:
    """The bytes before and after the needle, for each occurrence in these words."""
    if not words:
        return ALONE
    found = ((word[:at], word[at + len(needle) :]) for word in words for at in _places(needle, word))
    return frozenset(pair for pair in found if any(pair))


def _places(needle: bytes, word: bytes) -> Iterator[int]:
    at = word.find(needle)
    while at >= 0:
        yield at
        at = word.find(needle, at + 1)


def _gathered(pairs: Iterable[tuple[bytes, Label]]) -> dict[bytes, list[Label]]:
    """Collect the labels of each needle; a needle that two persons share has a label for each."""
    found: dict[bytes, list[Label]] = {}
    for needle, label in pairs:
        labels = found.setdefault(needle, [])
        if all((known.value_index, known.exact) != (label.value_index, label.exact) for known in labels):
            labels.append(label)
    return found


def _automaton(needles: list[bytes]) -> ahocorasick_rs.BytesAhoCorasick:
    kinds = ahocorasick_rs.Implementation
    kind = kinds.DFA if sum(map(len, needles)) <= DFA_BYTES else kinds.ContiguousNFA
    return ahocorasick_rs.BytesAhoCorasick(needles, implementation=kind)


def _int32(chosen: list[tuple[int, str]]) -> dict[bytes, tuple[int, ...]]:
    found: dict[bytes, tuple[int, ...]] = {}
    for index, value in chosen:
        for number in numbers_of(value):
            if NUMBER_MIN <= int(number) < INT32_END:
                key = int(number).to_bytes(4, "little")
                found[key] = (*found.get(key, ()), index)
    return found
