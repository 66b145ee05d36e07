"""Draw columns of invented persons from a seed: names, addresses, telephone numbers, e-mail addresses, notes.

Every word comes from ``tables/`` and combinations are random, so no row is a real person. Telephone
numbers are valid in the Belgian plan; e-mail hosts end in ``.example`` (RFC 2606).
"""

import csv
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import polars as pl
from numpy.typing import NDArray

Indexes = NDArray[np.int64]
Numbers = NDArray[np.float64]

FRENCH_SHARE = 0.41
"""Rounded share of French speakers in a Belgian consumer file; the others speak Dutch or, rarely, English."""

AGES = ((0.0, 0.05, 0.25, 0.50, 0.75, 0.95, 1.0), (18, 26, 32, 38, 47, 58, 95))
"""Quantiles of age among persons called in a telemarketing campaign (UCI data set 222, rounded)."""

MOBILE_SHARE = 0.635
"""Share of calls to a mobile telephone in the same campaign."""

HOSTS = ("mail.example", "brievenbus.example", "courriel.example", "inbox.example", "postvak.example")
FIRST_LOCAL_DIGITS = {"2": (2, 8), "3": (2, 8), "4": (2, 3), "9": (2, 4)}
"""One-digit zones -> range of the digit after them; two-digit zones take any from 2 to 8."""


@dataclass(frozen=True, slots=True)
class Persons:
    """Columns of invented persons, all of one length; ``french`` marks the language of each."""

    french: NDArray[np.bool_]
    first_name: pl.Series
    last_name: pl.Series
    gender: pl.Series
    place: Indexes
    """Row of ``tables/places.csv``."""
    city: pl.Series
    phone: pl.Series
    email: pl.Series


@cache
def table(name: str) -> pl.DataFrame:
    """One file of ``tables/``, every column text."""
    text = (files("sluice.sample") / "tables" / f"{name}.csv").read_text(encoding="utf-8")
    head, *rows = csv.reader(text.splitlines(keepends=True))
    return pl.DataFrame(rows, schema=dict.fromkeys(head, pl.String), orient="row")


def draw_persons(rng: np.random.Generator, rows: int) -> Persons:
    """``rows`` invented persons; the same generator state gives the same persons."""
    french = rng.random(rows) < FRENCH_SHARE
    first, last = table("first_names"), table("last_names")
    first_at, last_at = by_language(rng, first, french), by_language(rng, last, french)
    places = table("places")
    place = by_language(rng, places, french, places["weight"].cast(pl.Int64).to_numpy())
    return Persons(
        french=french,
        first_name=first["value"].gather(first_at),
        last_name=last["value"].gather(last_at),
        gender=first["gender"].gather(first_at),
        place=place,
        city=places["city"].gather(place),
        phone=_spelled(rng, _phones(rng, places["area"].gather(place))),
        email=_emails(rng, _plain(first["value"]).gather(first_at), _plain(last["value"]).gather(last_at)),
    )


def by_language(
    rng: np.random.Generator, source: pl.DataFrame, french: NDArray[np.bool_], weights: Indexes | None = None
) -> Indexes:
    """Draw a row number of ``source`` for each row, among the rows of its language."""
    drawn = np.empty(len(french), dtype=np.int64)
    for is_french, language in ((False, "nl"), (True, "fr")):
        rows = (source["language"] == language).arg_true().to_numpy()
        share = None if weights is None else weights[rows] / weights[rows].sum()
        wanted = french == is_french
        drawn[wanted] = rng.choice(rows, int(wanted.sum()), p=share)
    return drawn


def pick(rng: np.random.Generator, rows: int, shares: dict[str, float]) -> pl.Series:
    """Draw one of the words per row, with the given shares (which need not add up to one)."""
    total = sum(shares.values())
    at = rng.choice(len(shares), rows, p=[share / total for share in shares.values()])
    return pl.Series(list(shares), dtype=pl.String).gather(at)


def between(
    rng: np.random.Generator, rows: int, quantiles: tuple[tuple[float, ...], tuple[float, ...]]
) -> NDArray[np.float64]:
    """Draw numbers with the given quantiles (shares, values), linear between them."""
    shares, values = quantiles
    return np.interp(rng.random(rows), shares, values)


def chance(rng: np.random.Generator, rows: int, share: float) -> pl.Series:
    """True in ``share`` of the rows."""
    return pl.Series(rng.random(rows) < share)


def notes(rng: np.random.Generator, french: NDArray[np.bool_], share: float) -> pl.Series:
    """Agents' remarks, now and then in English, in ``share`` of the rows; empty in the others."""
    source = table("notes")
    english = (source["language"] == "en").arg_true().to_numpy()
    at = by_language(rng, source, french)
    foreign = rng.random(len(french)) < 0.03
    at[foreign] = rng.choice(english, int(foreign.sum()))
    return source["value"].gather(at).zip_with(chance(rng, len(french), share), empty(len(french)))


def empty(rows: int) -> pl.Series:
    """``rows`` empty cells."""
    return pl.Series([""], dtype=pl.String).new_from_index(0, rows)


def _phones(rng: np.random.Generator, area: pl.Series) -> pl.DataFrame:
    """National numbers in two parts: ``zone`` (without the trunk zero) and the ``rest``."""
    rows = len(area)
    mobile = pl.Series(rng.random(rows) < MOBILE_SHARE)
    prefix = pick(rng, rows, {"47": 4, "49": 4, "48": 3, "46": 1, "45": 1})
    zone = (prefix + pl.Series(rng.integers(0, 10, rows)).cast(pl.String)).zip_with(mobile, area)
    low = np.full(rows, 2)
    high = np.full(rows, 8)
    for code, (first, last) in FIRST_LOCAL_DIGITS.items():
        here = (zone == code).to_numpy()
        low[here], high[here] = first, last
    lead = pl.Series(rng.integers(low, high + 1)).cast(pl.String)
    tail = pl.Series(rng.integers(0, 1_000_000, rows)).cast(pl.String).str.zfill(6)
    narrow = zone.str.len_bytes() == 1
    rest = (lead + tail).zip_with(narrow, lead + tail.str.slice(1))
    return pl.DataFrame({"zone": zone, "rest": tail.zip_with(mobile, rest)})


def _spelled(rng: np.random.Generator, phones: pl.DataFrame) -> pl.Series:
    """Spell telephone numbers in the ten ways found in such files, the most usual ones first."""
    zone, rest = pl.col("zone"), pl.col("rest")
    head = (rest.str.len_bytes() % 2) + 2
    pairs = [rest.str.slice(0, head), rest.str.slice(head, 2), rest.str.slice(head + 2, 2)]
    spaced, dotted = (pl.concat_str(pairs, separator=mark) for mark in (" ", "."))
    ways = [
        "+32" + zone + rest,
        "0" + zone + rest,
        "0" + zone + " " + spaced,
        "+32 " + zone + " " + spaced,
        "0" + zone + "/" + dotted,
        "0032" + zone + rest,
        "+32 (0)" + zone + " " + spaced,
        "0" + zone + "-" + pl.concat_str(pairs, separator="-"),
        "32" + zone + rest + ".0",
        "+32\u00a0" + zone + "\u00a0" + spaced,
    ]
    shares = np.array([28, 20, 18, 10, 9, 5, 4, 3, 2, 1]) / 100
    way = pl.Series("way", rng.choice(len(ways), phones.height, p=shares))
    spelled = pl.Series([""], dtype=pl.String).new_from_index(0, phones.height)
    for number, text in enumerate(ways):
        rows = (way == number).arg_true()
        spelled = spelled.scatter(rows, phones[rows].select(text.alias("phone")).to_series())
    return spelled


def _emails(rng: np.random.Generator, first: pl.Series, last: pl.Series) -> pl.Series:
    rows = len(first)
    number = pl.Series(rng.integers(1, 100, rows)).cast(pl.String).zip_with(chance(rng, rows, 0.6), empty(rows))
    host = pick(rng, rows, dict.fromkeys(HOSTS, 1.0))
    return first + "." + last + number + "@" + host


def _plain(names: pl.Series) -> pl.Series:
    """Names as people write them in an e-mail address: without accents, spaces or apostrophes."""
    plain = [
        "".join(char for char in unicodedata.normalize("NFKD", name).lower() if char.isascii() and char.isalpha())
        for name in names.to_list()
    ]
    return pl.Series(plain, dtype=pl.String)
