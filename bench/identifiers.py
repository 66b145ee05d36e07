"""Identifiers to references: the vector path against the loops that anyone would write first."""

import hashlib
import hmac
from collections.abc import Iterator, Sequence

import numpy as np
import phonenumbers
import polars as pl

from bench import BenchRow, Cost, paired, shown
from sluice.sample.draw import draw_persons
from sluice.subject.columns import normalise_column
from sluice.subject.index import build_run, find_in_run, write_run
from sluice.subject.key import SubjectKey
from sluice.subject.refs import ref_column
from sluice.terms import SubjectKind

KEY = SubjectKey(bytes(range(32)))
SEED = 20_260_901
LOOP_ROWS = 20_000
"""The loop is measured on fewer rows: its rate does not depend on their number."""


def rows(size: int) -> Iterator[BenchRow]:
    """Phone and HMAC together (goal), each alone, e-mail, and a look-up in an index run."""
    persons = draw_persons(np.random.default_rng(SEED), size)
    phones, emails = persons.phone, persons.email
    few = phones.head(LOOP_ROWS).to_list()
    vector_refs(phones.head(1000), SubjectKind.PHONE)

    yield from _against_loop(
        "phone + HMAC", paired(lambda: vector_refs(phones, SubjectKind.PHONE), lambda: loop(few)), size
    )
    normal = normalise_column(phones, SubjectKind.PHONE).values
    texts = normal.head(LOOP_ROWS).to_list()
    vector, plain = paired(lambda: ref_column(normal, SubjectKind.PHONE, KEY), lambda: hmac_loop(texts))
    yield _ratio("HMAC alone", size / vector.wall_s, len(texts) / plain.wall_s, "hmac.new loop")
    mails, _ = paired(lambda: vector_refs(emails, SubjectKind.EMAIL), lambda: None)
    yield BenchRow("identifiers", "e-mail + HMAC", size / mails.wall_s, "rows/s", "-")
    yield from _index(normal)


def vector_refs(values: pl.Series, kind: SubjectKind) -> pl.Series:
    return ref_column(normalise_column(values, kind).values, kind, KEY)


def loop(values: Sequence[str]) -> list[str | None]:
    """One number after the other through the library and the standard HMAC."""
    return hmac_loop([_e164(value) for value in values])


def hmac_loop(normals: Sequence[str | None]) -> list[str | None]:
    return [
        None if normal is None else hmac.new(KEY, f"phone\x1f{normal}".encode(), hashlib.sha256).hexdigest()[:32]
        for normal in normals
    ]


def _e164(value: str) -> str | None:
    number = phonenumbers.parse(value.removesuffix(".0"), "BE")
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _against_loop(what: str, costs: tuple[Cost, Cost], size: int) -> Iterator[BenchRow]:
    vector, plain = size / costs[0].wall_s, LOOP_ROWS / costs[1].wall_s
    floor = f"phonenumbers loop {shown(plain)} rows/s"
    yield BenchRow("identifiers", what, vector, "rows/s", floor, goal=1_500_000)
    yield BenchRow("identifiers", what, vector / plain, "x", floor, goal=29)
    cpu = (size / costs[0].cpu_s) / (LOOP_ROWS / costs[1].cpu_s)
    yield BenchRow("identifiers", f"{what}, CPU", cpu, "x", floor)


def _ratio(what: str, rate: float, base: float, name: str) -> BenchRow:
    return BenchRow("identifiers", what, rate / base, "x", f"{name} {shown(base)} rows/s")


def _index(normal: pl.Series) -> Iterator[BenchRow]:
    refs = ref_column(normal, SubjectKind.PHONE, KEY)
    run = build_run([(SubjectKind.PHONE, refs)])
    data = write_run(run)
    one, thousand = refs.head(1).to_list(), refs.head(1000).to_list()
    first, many = paired(lambda: find_in_run(data, one), lambda: find_in_run(data, thousand))
    yield BenchRow(
        "identifiers", "index run, size", len(data) / run.height, "bytes/entry", "16 bytes of a whole reference"
    )
    yield BenchRow(
        "identifiers", "index run, 1 person", first.wall_s * 1000, "ms", f"1,000 persons {many.wall_s * 1000:.0f} ms"
    )
