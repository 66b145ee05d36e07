"""A file that came packed, as Parquet, or with records that are no rows: one person leaves it without a trace."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterator

import polars as pl
import pytest

from rights.town import Town, now, open_town, papers_of
from sluice.exchange.catalogue import find_copies
from sluice.lake.s3.objects import StoredObject
from sluice.rights.copies.model import Outcome
from sluice.rights.erasure.erase import run
from sluice.settings import Settings
from sluice.terms import ExchangeId
from support.desk import ENERGY
from support.night import CAMPAIGN, FORMS, Edit, change, zipped

FEW_REFUSED = Edit(CAMPAIGN, "maxRefusedShare, value: 0.1", "maxRefusedShare, value: 0.5")
AS_AGREED = 'format: csv\n    delimiter: ";"'


def unzipped(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read("campaign.csv")


UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip01": gzip.decompress,
    "zip01": unzipped,
    "parquet01": lambda content: pl.read_parquet(content).write_csv(separator=";").encode(),
}
"""What is in it, as CSV."""
EDITS = {
    **{name: FORMS[name.removesuffix("01")].edits for name in UNPACK},
    "tilde01": (FEW_REFUSED, Edit(CAMPAIGN, AS_AGREED, 'format: csv\n    delimiter: "~"')),
    "jsons01": (FEW_REFUSED, Edit(CAMPAIGN, AS_AGREED, "format: json"), Edit(CAMPAIGN, "/*.csv", "/*.json")),
}
"""Each principal sends its contacts in a form of its own."""


@pytest.fixture(scope="module")
def town(module_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    settings = papers_of(module_settings, folder, list(EDITS))
    for name, edits in EDITS.items():
        for edit in edits:
            change(settings.principals_dir / name / edit.file, edit.old, edit.new)
    with open_town(settings, folder, list(EDITS), 6) as opened:
        yield opened


def table(town: Town, principal: str) -> bytes:
    """The people as customers of a principal, as CSV."""
    lines = [town.head, *(f"{each.record(principal)};{each.line}" for each in town.people)]
    return "\n".join(lines).encode() + b"\n"


def in_lines(people: pl.DataFrame, broken: int | None) -> bytes:
    """Cells between ``~``; of one record there is one cell too many."""
    rows = [list(people.columns), *([cell or "" for cell in row] for row in people.rows())]
    if broken is not None:
        rows[broken + 1].append("more")
    return "\n".join("~".join(cell.replace("~", " ") for cell in row) for row in rows).encode() + b"\n"


def in_json(people: pl.DataFrame, broken: int | None) -> bytes:
    """Objects; in one of them a key stands twice, and every character of the others is escaped."""
    rows = [json.dumps(row) for row in people.rows(named=True)]
    if broken is not None:
        cells = [f'"{name}": "{escaped(cell or "")}"' for name, cell in people.row(broken, named=True).items()]
        rows[broken] = "{" + ", ".join([*cells, cells[0]]) + "}"
    return f"[{', '.join(rows)}]".encode()


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(one):04x}" for one in text)


def drop(town: Town, principal: str, content: bytes, name: str) -> StoredObject:
    return town.desk.drop(content, name, (principal, ENERGY[1]))


def content_of(town: Town, stored: StoredObject) -> bytes:
    return town.house.objects.read(stored.bucket, stored.key)


def test_one_person_leaves_every_form_of_file_and_the_others_stay_as_they_were(town: Town) -> None:
    person = town.people[1]
    forms = {name: FORMS[name.removesuffix("01")] for name in UNPACK}
    packed = {
        name: drop(town, name, form.pack(table(town, name)), f"campaign.{form.ending}") for name, form in forms.items()
    }
    broken = {}
    for name, written, ending in (("tilde01", in_lines, "csv"), ("jsons01", in_json, "json")):
        people = pl.read_csv(table(town, name), separator=";", infer_schema=False)
        whole = drop(town, name, written(people, None), f"first.{ending}")
        broken[name] = drop(town, name, written(people, 1), f"second.{ending}")
        town.desk.work()
        assert (town.desk.line(whole).decision, town.desk.line(broken[name]).decision) == (
            "accepted", "partly_accepted",
        )  # fmt: skip
    for name, stored in packed.items():
        shown = town.desk.shown(stored)
        assert shown.record is not None and shown.record.how.dialect is not None
        assert (shown.line.decision, shown.line.rows_accepted) == ("accepted", len(town.people))
        assert shown.record.how.dialect["container"] == {"gzip01": "gzip", "zip01": "zip"}.get(name)
        assert person.phone.encode() in UNPACK[name](content_of(town, stored)), "control: it was there"
    case = town.decided(person)

    report = run(town.house, case.case_id, now())

    assert (report.residual, report.doubts) == (0, 0)
    came = {line.outcome for line in report.lines if line.store == "files as they came"}
    assert came == {Outcome.ERASED}, "edited, and not gone whole"
    for name, stored in packed.items():
        before, after = (
            UNPACK[name](each).splitlines() for each in (forms[name].pack(table(town, name)), content_of(town, stored))
        )
        assert after == [line for line in before if person.record(name).encode() not in line]
        assert len(after) == len(before) - 1
    for name, stored in broken.items():
        copies = {copy.kind: copy.rows for copy in find_copies(town.house.conn, ExchangeId(town.desk.line(stored).id))}
        assert (copies["lake"], copies["quarantine.records"]) == (len(town.people) - 1, 0)
        left, record = content_of(town, stored), person.record(name)
        gone = (person.phone, record, escaped(person.phone), escaped(record))
        assert not any(value.encode() in left for value in gone)
        assert town.people[0].record(name).encode() in left


def test_a_file_in_two_wrappings_is_refused_and_says_so(town: Town) -> None:
    for name in UNPACK:
        stored = drop(town, name, gzip.compress(zipped(table(town, name))), "twice.csv.gz")
        town.desk.work()
        line = town.desk.line(stored)
        assert (line.decision, line.reason_code) == ("refused", "ARCHIVE_NESTED")
