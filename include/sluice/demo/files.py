"""The files of the demo. Each drop says what it shows and how it must end.

The seeded generator invents all persons. Faulty files are made from a good one, so that each has exactly one fault.
"""

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sluice.sample.faults import FaultPlan
from sluice.sample.files import write_campaign, write_subscribers
from sluice.terms import Decision

FAULTS = FaultPlan(missing_required=12, bad_phone=25, duplicate_key=6, wrong_code=9, ragged_row=3)
HOPELESS = FaultPlan(missing_required=100, wrong_code=100)


@dataclass(frozen=True, slots=True)
class Drop:
    """One file to put, and how it must end (None: in any way). ``shows``: what it shows, in one plain line."""

    principal: str
    flow: str
    path: Path
    name: str
    decision: Decision | None
    code: str | None
    shows: str

    @property
    def key(self) -> str:
        return f"{self.principal}/inbound/{self.flow}/{self.name}"


def first_drops(folder: Path, seed: int, rows: int) -> tuple[Drop, ...]:
    """Return all files that are dropped at the same time."""
    return tuple(_drops(folder, seed, rows))


def _drops(folder: Path, seed: int, rows: int) -> Iterator[Drop]:
    campaign, subscribers = folder / "campaign.csv", folder / "subscribers.csv"
    write_campaign(campaign, rows, seed)
    write_subscribers(subscribers, rows, seed + 1, faults=FAULTS)
    shared_phones(campaign, subscribers)
    energy, water = ("energy01", "renewal_campaign"), ("water01", "meter_contacts")
    telecom = ("telecom01", "subscriber_base")
    good, partly, no, unsure = Decision.ACCEPTED, Decision.PARTLY_ACCEPTED, Decision.REFUSED, Decision.UNDECIDED
    extra, titled, zipped = _with_column(folder, campaign), _with_title(folder, campaign), _zipped(folder, campaign)
    named = "jan.peeters@post.example.csv"
    yield Drop(*energy, campaign, "campaign.csv", good, None, "a clean file, accepted whole")
    yield Drop(*telecom, subscribers, "subscribers.csv", partly, None, "bad rows held, good rows go on")
    yield Drop(*energy, extra, "extra_column.csv", no, None, "a column nobody declared")
    yield Drop(*energy, _hopeless(folder, seed + 2), "too_many.csv", no, "LIMIT", "too many bad rows")
    yield Drop(*energy, zipped, "archive.csv", no, "WRONG_FORMAT", "a zip called .csv")
    yield Drop(*energy, titled, "titled.csv", unsure, "HEADER", "a title before the header")
    yield Drop(*energy, campaign, named, no, "NAME", "a file name that could name a person")
    yield Drop(*water, campaign, "meters.csv", no, "FORBIDDEN_AGREEMENT_EXPIRED", "the agreement ran out")
    yield Drop("nobody01", "leads", campaign, "leads.csv", no, "FORBIDDEN_NO_AGREEMENT", "no agreement at all")


def shared_phones(campaign: Path, subscribers: Path) -> frozenset[str]:
    """Make one in ten subscribers of telecom01 a customer of energy01 too. Returns their phones, as in both files.

    Doing it again changes nothing, so a caller that needs the phones can call it again.
    """
    with campaign.open(newline="", encoding="utf-8") as file:
        phones = [row["phone"] for row in csv.DictReader(file, delimiter=";")]
    with subscribers.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    place, shared = header.index("phone"), set()
    for number in range(5, min(len(rows), len(phones)), 10):
        if len(rows[number]) == len(header):
            rows[number][place] = phones[number]
            shared.add(phones[number])
    with subscribers.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return frozenset(shared - {""})


def second_drop(first: Drop) -> Drop:
    """Return a drop of the same content after it was accepted."""
    return Drop(
        first.principal,
        first.flow,
        first.path,
        "campaign_again.csv",
        Decision.REFUSED,
        "DUPLICATE",
        "the same file again",
    )


def _with_column(folder: Path, source: Path) -> Path:
    target = folder / "extra_column.csv"
    lines = source.read_text().splitlines()
    delimiter = ";"
    body = [f"{lines[0]}{delimiter}shoe_size", *(f"{line}{delimiter}42" for line in lines[1:])]
    target.write_text("\r\n".join(body) + "\r\n")
    return target


def _hopeless(folder: Path, seed: int) -> Path:
    target = folder / "too_many.csv"
    write_campaign(target, 500, seed, faults=HOPELESS)
    return target


def _zipped(folder: Path, source: Path) -> Path:
    target, archive = folder / "archive.csv", io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("campaign.csv", source.read_bytes())
    target.write_bytes(archive.getvalue())
    return target


def _with_title(folder: Path, source: Path) -> Path:
    target = folder / "titled.csv"
    target.write_text("Export of the renewal campaign\r\n\r\n" + source.read_text())
    return target
