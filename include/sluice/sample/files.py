"""Write two files that a contact center gets, from a seed: a renewal campaign and a subscriber base.

The same arguments give the same bytes. Shares and quantiles are rounded from real telemarketing calls
(UCI data set 222) and from a fictional subscriber base (IBM Telco); every person is invented.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from sluice.sample.draw import (
    AGES,
    Numbers,
    Persons,
    between,
    by_language,
    chance,
    draw_persons,
    empty,
    notes,
    pick,
    table,
)
from sluice.sample.faults import NO_FAULTS, Fault, FaultPlan, Planted, Targets, plant

WRITTEN_ON = date(2026, 9, 1)


@dataclass(frozen=True, slots=True)
class FileDialect:
    """How a file is written. The default is what a Belgian spreadsheet exports."""

    delimiter: str = ";"
    encoding: str = "utf-8"
    newline: str = "\r\n"
    decimal_comma: bool = True
    date_format: str = "%d/%m/%Y"


BELGIAN = FileDialect()
INTERNATIONAL = FileDialect(delimiter=",", newline="\n", decimal_comma=False, date_format="%Y-%m-%d")


def write_campaign(
    path: Path,
    rows: int,
    seed: int,
    dialect: FileDialect = BELGIAN,
    faults: FaultPlan = NO_FAULTS,
    on: date = WRITTEN_ON,
) -> Planted:
    """Write energy01's ``renewal_campaign`` (20 columns); return where the faults are.

    on: the day on which the file is written; dates in it are relative to it.
    """
    rng = np.random.default_rng(seed)
    cells, planted = plant(rng, campaign_cells(rng, rows, dialect, on), faults, CAMPAIGN_TARGETS)
    _write(path, cells, dialect, planted)
    return planted


def write_subscribers(
    path: Path, rows: int, seed: int, dialect: FileDialect = INTERNATIONAL, faults: FaultPlan = NO_FAULTS
) -> Planted:
    """Write telecom01's ``subscriber_base`` (20 columns, no date among them); return where the faults are."""
    rng = np.random.default_rng(seed)
    cells, planted = plant(rng, subscriber_cells(rng, rows, dialect), faults, SUBSCRIBER_TARGETS)
    _write(path, cells, dialect, planted)
    return planted


# --- energy01: renewal_campaign --------------------------------------------------------------------

CAMPAIGN_TARGETS = Targets(
    required="last_name", phone="phone", date="contract_end_date", key="customer_number", code="product"
)
PRODUCTS = {"ELEC": 0.38, "GAS": 0.12, "DUAL": 0.50}
TARIFFS = {"FIXED_1Y": 0.42, "FIXED_3Y": 0.13, "VARIABLE": 0.40, "DYNAMIC": 0.05}
LAST_RESULTS = {"nonexistent": 0.863, "failure": 0.103, "success": 0.034}
ATTEMPTS = {
    "1": 0.43,
    "2": 0.26,
    "3": 0.13,
    "4": 0.06,
    "5": 0.04,
    "6": 0.03,
    "7": 0.02,
    "8": 0.01,
    "9": 0.01,
    "12": 0.01,
}
AMOUNTS = ((0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0), (18.0, 45.0, 78.0, 120.0, 175.0, 240.0, 410.0))


def campaign_cells(rng: np.random.Generator, rows: int, dialect: FileDialect, on: date) -> pl.DataFrame:
    """Every cell of a campaign file as text, without faults."""
    persons = draw_persons(rng, rows)
    places = table("places")
    born = _days_before(rng, between(rng, rows, AGES), on)
    ends = pl.Series(np.datetime64(on) + rng.integers(10, 180, rows))
    language = pl.Series(np.where(persons.french, "fr", "nl")).zip_with(chance(rng, rows, 0.98), _same("en", rows))
    return pl.DataFrame(
        {
            "customer_number": _customer_numbers(rng, rows),
            "first_name": persons.first_name,
            "last_name": persons.last_name,
            "phone": persons.phone,
            "email": persons.email.zip_with(chance(rng, rows, 0.87), empty(rows)),
            "street": _streets(rng, persons),
            "postal_code": places["postal_code"].gather(persons.place),
            "city": persons.city,
            "language": language,
            "birth_date": born.dt.strftime(dialect.date_format),
            "product": pick(rng, rows, PRODUCTS),
            "contract_end_date": ends.dt.strftime(dialect.date_format),
            "tariff": pick(rng, rows, TARIFFS),
            "monthly_amount": _amounts(between(rng, rows, AMOUNTS), dialect),
            "opt_in_phone": pick(rng, rows, {"Y": 0.82, "N": 0.18}),
            "opt_in_email": pick(rng, rows, {"Y": 0.64, "N": 0.36}),
            "last_contact_result": pick(rng, rows, LAST_RESULTS),
            "attempts": pick(rng, rows, ATTEMPTS),
            "campaign_code": _same(f"RENEW-{on:%Y-%m}", rows),
            "note": notes(rng, persons.french, 0.32),
        }
    )


def _customer_numbers(rng: np.random.Generator, rows: int) -> pl.Series:
    """Unique customer numbers: a step that shares no factor with the range visits each number once."""
    start = int(rng.integers(0, 90_000_000))
    numbers = (start + np.arange(rows, dtype=np.int64) * 7_919) % 90_000_000 + 10_000_000
    return _same("E", rows) + pl.Series(numbers).cast(pl.String)


def _streets(rng: np.random.Generator, persons: Persons) -> pl.Series:
    rows = len(persons.french)
    street = table("streets")["value"].gather(by_language(rng, table("streets"), persons.french))
    number = pl.Series(rng.integers(1, 240, rows)).cast(pl.String)
    box = pick(rng, rows, {"": 0.86, " bus 1": 0.03, " bus 2": 0.03, "A": 0.04, "/3": 0.04})
    return street + " " + number + box


def _days_before(rng: np.random.Generator, years: Numbers, on: date) -> pl.Series:
    return pl.Series(np.datetime64(on) - (years * 365.25).astype("timedelta64[D]") - rng.integers(0, 365, len(years)))


# --- telecom01: subscriber_base --------------------------------------------------------------------

SUBSCRIBER_TARGETS = Targets(required="last_name", phone="phone", date=None, key="customer_id", code="contract")
CONTRACTS = {"Month-to-month": 0.55, "Two year": 0.24, "One year": 0.21}
INTERNET = {"Fiber optic": 0.44, "DSL": 0.34, "No": 0.22}
PAYMENTS = {
    "Electronic check": 0.34,
    "Mailed check": 0.22,
    "Bank transfer (automatic)": 0.22,
    "Credit card (automatic)": 0.22,
}
TENURES = ((0.0, 0.002, 0.09, 0.10, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0), (0, 0.99, 1, 2, 9, 29, 55, 69, 72, 72.9))
CHARGES = {"Fiber optic": (70.0, 115.0), "DSL": (25.0, 90.0), "No": (18.5, 27.0)}
CHURN = {"Month-to-month": 0.43, "One year": 0.11, "Two year": 0.03}


def subscriber_cells(rng: np.random.Generator, rows: int, dialect: FileDialect) -> pl.DataFrame:
    """Every cell of a subscriber file as text, without faults; a subscriber in month 0 has no total."""
    persons = draw_persons(rng, rows)
    tenure = between(rng, rows, TENURES).astype(np.int64)
    internet, contract = pick(rng, rows, INTERNET), pick(rng, rows, CONTRACTS)
    has_phone = chance(rng, rows, 0.90)
    monthly = _charges(rng, internet)
    total = _amounts(np.round(monthly, 2) * tenure, dialect)
    return pl.DataFrame(
        {
            "customer_id": _subscriber_ids(rng, rows),
            "gender": persons.gender.replace_strict({"f": "Female", "m": "Male"}),
            "senior_citizen": pick(rng, rows, {"0": 0.84, "1": 0.16}),
            "partner": _yes(chance(rng, rows, 0.48)),
            "dependents": _yes(chance(rng, rows, 0.30)),
            "tenure": pl.Series(tenure).cast(pl.String),
            "phone_service": _yes(has_phone),
            "multiple_lines": _yes(chance(rng, rows, 0.47)).zip_with(has_phone, _same("No phone service", rows)),
            "internet_service": internet,
            "contract": contract,
            "paperless_billing": _yes(chance(rng, rows, 0.59)),
            "payment_method": pick(rng, rows, PAYMENTS),
            "monthly_charges": _amounts(monthly, dialect),
            "total_charges": total.zip_with(pl.Series(tenure > 0), empty(rows)),
            "churn": _yes(pl.Series(rng.random(rows)) < contract.replace_strict(CHURN, return_dtype=pl.Float64)),
            "first_name": persons.first_name,
            "last_name": persons.last_name,
            "phone": persons.phone,
            "email": persons.email.zip_with(chance(rng, rows, 0.93), empty(rows)),
            "city": persons.city,
        }
    )


def _charges(rng: np.random.Generator, internet: pl.Series) -> Numbers:
    service = internet.replace_strict({name: at for at, name in enumerate(CHARGES)}).to_numpy()
    low, high = (np.array([ends[side] for ends in CHARGES.values()])[service] for side in (0, 1))
    return np.asarray(low + rng.random(len(internet)) * (high - low), dtype=np.float64)


def _subscriber_ids(rng: np.random.Generator, rows: int) -> pl.Series:
    """Unique ids of four digits and five letters, such as ``7590-VHVEG``."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    start = int(rng.integers(0, 26**5))
    codes = (start + np.arange(rows, dtype=np.int64) * 7_919) % 26**5
    word = empty(rows)
    for _ in range(5):
        word = word + pl.Series(list(letters)).gather(codes % 26)
        codes = codes // 26
    return pl.Series(rng.integers(1000, 10_000, rows)).cast(pl.String) + "-" + word


# --- cells and bytes -------------------------------------------------------------------------------


def _yes(flags: pl.Series) -> pl.Series:
    return _same("Yes", len(flags)).zip_with(flags, _same("No", len(flags)))


def _same(text: str, rows: int) -> pl.Series:
    return pl.Series([text], dtype=pl.String).new_from_index(0, rows)


def _amounts(amounts: Numbers, dialect: FileDialect) -> pl.Series:
    cents = pl.Series(np.rint(amounts * 100).astype(np.int64))
    mark = "," if dialect.decimal_comma else "."
    return (cents // 100).cast(pl.String) + mark + (cents % 100).cast(pl.String).str.zfill(2)


def _write(path: Path, cells: pl.DataFrame, dialect: FileDialect, planted: Planted) -> None:
    """Write header and rows; ragged rows alternately gain an empty cell and lose their last one."""
    with path.open("wb") as sink:
        sink.write(_encoded(cells.head(0), dialect, header=True))
        start = 0
        for turn, row in enumerate(planted.rows(Fault.RAGGED_ROW)):
            sink.write(_encoded(cells[start : row - 1], dialect))
            broken = cells[row - 1 : row]
            broken = broken[:, :-1] if turn % 2 else broken.with_columns(surplus=pl.lit(None, dtype=pl.String))
            sink.write(_encoded(broken, dialect))
            start = row
        sink.write(_encoded(cells[start:], dialect))


def _encoded(cells: pl.DataFrame, dialect: FileDialect, *, header: bool = False) -> bytes:
    """The bytes of one part, with a byte order mark only before the header."""
    text = cells.with_columns(pl.all().replace("", None)).write_csv(
        separator=dialect.delimiter, line_terminator=dialect.newline, include_header=header, quote_style="necessary"
    )
    if header:
        return text.encode(dialect.encoding)
    return text.encode({"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(dialect.encoding, dialect.encoding))
