"""A breach in an installation that really exchanged files: persons counted by hand from the files themselves."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pypdf
import pytest

from returns.commands import at_terminal, sluice
from rights.estate import ENERGY01, TELECOM01, Estate, cut_short, open_estate
from rights.people import as_csv, contact_rows, draw_people
from sluice.exchange.read import list_exchanges
from sluice.settings import Settings
from sluice.staff.refs import agent_ref
from sluice.times import BRUSSELS
from support.desk import ENERGY
from support.night import DUE_DAY

Record = Callable[[str, object], None]


def exchange_of(estate: Estate, name: str) -> str:
    """The id of the exchange whose file has this name, the youngest of them."""
    rows = estate.house.conn.execute(
        "select exchange_id::text as id from exchange where key like %s order by opened_at desc limit 1", (f"%/{name}",)
    ).fetchall()
    return str(rows[0]["id"])


def in_file(estate: Estate, bucket: str, key: str, version: str | None = None) -> int:
    """Persons in a file in clear, by their customer number: read and compared by hand."""
    content = estate.house.objects.read(bucket, key, version) if version else estate.house.objects.read(bucket, key)
    every = [*estate.people, *estate.others]
    return sum(each.record.encode() in content for each in every)


@pytest.mark.evidence
def test_a_breach_is_cut_by_exchange_object_and_agent_and_says_who_tells_whom(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Record
) -> None:
    with open_estate(store_settings, tmp_path, 4, 4, 2) as estate, at_terminal(estate.night.desk, monkeypatch):
        compared = [*_by_exchange(estate), *_by_object(estate)]
        assert [pair for pair in compared if pair[0] != pair[1]] == []
        record_property("breach: slices whose persons are those counted by hand", f"{len(compared)} of {len(compared)}")
        _what_nobody_can_read(estate)
        _by_agent(estate, tmp_path / "drafts")
        before = estate.house.conn.execute("select count(*) as n from ledger.entry").fetchall()
        sliced("--exchange", exchange_of(estate, "contacts.csv"))
        after = estate.house.conn.execute("select count(*) as n from ledger.entry").fetchall()
        assert before == after, "a read leaves nothing"
        _refused()


def sliced(*words: str) -> dict[str, Any]:
    done = sluice("breach", "slice", *words)
    assert done.exit == 0, done.error
    return done.document


def _by_exchange(estate: Estate) -> list[tuple[int, int]]:
    """Accepted whole, partly, refused whole, in every format; a return. Beside each the count by hand."""
    found = []
    bucket = estate.settings.bucket_exchange
    for flow, name in (
        ("renewal_campaign", "contacts.csv"),
        ("renewal_campaign", "refused.csv"),
        ("renewal_campaign", "wide.csv"),
    ):
        said = sliced("--exchange", exchange_of(estate, name))
        key = f"energy01/inbound/{flow}/{name}"
        by_hand = len(estate.people) + len(estate.others) if name == "contacts.csv" else 4
        assert name == "wide.csv" or in_file(estate, bucket, key) == by_hand
        found.append((said["subjects"], by_hand))
        assert said["principals"] == [ENERGY01]
    for form in ("xlsx", "json", "ndjson"):
        found.append((sliced("--exchange", exchange_of(estate, f"contacts.{form}"))["subjects"], 8))
    said = sliced("--exchange", exchange_of(estate, "contacts.csv"))
    assert {"Name", "TelephoneNumber", "EmailAddress"} <= set(said["categories"])
    assert said["special_categories"] == [] and "Object Store BV" in said["recipients"]
    assert said["went_into"], "returns were made of it"
    [told, *_] = said["notify"]
    assert (told["by"], told["to"], told["article"]) == ("center", ENERGY01, "33(2)")
    hours = datetime.fromisoformat(told["due_at"]) - datetime.fromisoformat(said["aware_at"])
    assert hours == timedelta(hours=24), "as the agreement says"
    for line in list_exchanges(estate.house.conn, principal=ENERGY01, limit=100):
        if line.direction == "outbound_return" and line.flow == "renewal_results":
            said = sliced("--exchange", line.id, "--risk", "high")
            found.append((said["subjects"], in_file(estate, bucket, estate.night.record(line).what.key)))
            articles = {(each["by"], each["to"], each["article"]) for each in said["notify"]}
            assert ("center", "authority", "33(1)") in articles, "what our staff added is ours"
            assert ("center", ENERGY01, "33(2)") in articles and ("center", "persons", "34(1)") in articles
    return found


def _by_object(estate: Estate) -> list[tuple[int, int]]:
    """Two versions of one key hold different persons; a lake object only what was accepted."""
    bucket, key = estate.settings.bucket_exchange, "energy01/inbound/renewal_campaign/contacts.csv"
    versions = [item for item in estate.house.objects.list_versions(bucket, key) if item.key == key]
    found = []
    for item in versions:
        said = sliced("--object", f"s3://{bucket}/{key}?versionId={item.version_id}")
        found.append((said["subjects"], in_file(estate, bucket, key, item.version_id)))
    assert sorted(count for count, _ in found) == [4, 8]
    refused = sliced("--exchange", exchange_of(estate, "faulty.csv"))["parts"][0]
    assert (refused["subjects"], refused["rows_without_person"]) == (6, 2), "two records that are no rows"
    partly = _partly(estate)
    [lake] = estate.house.conn.execute(
        "select key from copy where exchange_id = %s and kind = 'lake'", (partly,)
    ).fetchall()
    accepted = sliced("--object", f"s3://{estate.settings.bucket_lake}/{lake['key']}")
    whole = sliced("--exchange", partly)["parts"][0]
    assert (accepted["subjects"], whole["subjects"], whole["rows"]) == (19, 20, 21), "one more in a sealed row"
    assert (whole["rows_without_person"], whole["unread"]) == (1, [])
    return found


def _partly(estate: Estate) -> str:
    """A file of 21 records: 19 accepted, one refused, one that is no row."""
    people = draw_people(28)[8:]
    wrong = contact_rows(people[19:]).with_columns(last_name=pl.lit(""))
    content = as_csv(pl.concat([contact_rows(people[:19]), wrong])) + cut_short(people[:1])
    estate.drop(content, "partly.csv", ENERGY[1])
    estate.night.desk.work()
    return exchange_of(estate, "partly.csv")


def _what_nobody_can_read(estate: Estate) -> None:
    """A return sealed to telecom01: its record says how many persons there are at most, and nothing is made up."""
    lines = list_exchanges(estate.house.conn, principal=TELECOM01, limit=100)
    [sealed] = [line for line in lines if line.direction == "outbound_return"]
    said = sliced("--exchange", sealed.id)
    assert (said["subjects"], said["parts"][0]["at_most"]) == (0, len(estate.shared))
    assert said["parts"][0]["unread"] == [f"return {sealed.id}"]


def _by_agent(estate: Estate, folder: Path) -> None:
    """What agent01 wrote on the day of the calls, at both principals, with drafts that keep them apart."""
    ref = agent_ref(estate.house.keyring.staff_key(), "agent01")
    day = [datetime.combine(DUE_DAY + timedelta(days=more), time(), BRUSSELS).isoformat() for more in (0, 1)]
    said = sliced("--agent", ref, "--between", *day, "--risk", "high", "--to", str(folder), "--aware", day[1])

    assert said["principals"] == [ENERGY01, TELECOM01]
    assert [each["subjects"] for each in said["parts"]] == [6, len(estate.shared)]
    assert {each["to"] for each in said["notify"] if each["article"] == "33(2)"} == {ENERGY01, TELECOM01}
    assert {each["principal"] for each in said["drafts"]} == {ENERGY01, TELECOM01, None}
    _drafts(estate, folder)
    at_ten = datetime.combine(DUE_DAY, time(10), BRUSSELS)
    narrow = [(at_ten + timedelta(seconds=more)).isoformat() for more in (1, 2)]
    bad = exchange_of(estate, "bad.csv")
    for nobodys in ((ref, *narrow), ("0" * 32, *day)):
        [part] = sliced("--agent", nobodys[0], "--between", *nobodys[1:])["parts"]
        assert (part["subjects"], part["rows"], part["exchanges"]) == (0, 0, [bad])
        assert (part["unread"], part["at_most"]) == ([f"quarantine.file {bad}"], None), "results that nobody can read"
    exact = [at_ten.isoformat(), narrow[0]]
    assert sliced("--agent", ref, "--between", *exact)["parts"][0]["subjects"] == 6, "from, and until before"
    wall = [datetime.fromisoformat(each).astimezone(BRUSSELS).strftime("%Y-%m-%dT%H:%M:%S.%f") for each in exact]
    assert sliced("--agent", ref, "--between", *wall)["parts"][0]["subjects"] == 6, "as a clock in Brussels shows it"
    assert sluice("breach", "slice", "--agent", "nobody", "--between", *exact).error == "SLU-301", "no reference"
    long_ago = [(at_ten - timedelta(days=100 - more)).isoformat() for more in (0, 1)]
    assert sluice("breach", "slice", "--agent", ref, "--between", *long_ago).error == "SLU-641"


def _drafts(estate: Estate, folder: Path) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.txt")}
    pdfs = {path.name: pypdf.PdfReader(path) for path in folder.glob("*.pdf")}
    assert len(texts) == len(pdfs) == 3 * 5, "two letters, two texts for persons and our form, in three languages"
    for_persons = {name.split("-")[3] for name in texts if "-persons." in name}
    assert for_persons == {ENERGY01, "center"}, "of telecom01 we decide of our agents only"
    assert all(pdf.trailer["/Root"]["/MarkInfo"]["/Marked"] for pdf in pdfs.values())
    every = {
        name: text + "".join(page.extract_text() for page in pdf.pages)
        for (name, text), pdf in zip(sorted(texts.items()), (pdfs[name] for name in sorted(pdfs)), strict=True)
    }
    values = [value for each in (*estate.people, *estate.others) for value in each.values]
    assert [value for value in values for text in every.values() if value in text] == []
    for name, text in every.items():
        other = {ENERGY01: "telecom01", TELECOM01: "energy01"}.get(name.split("-")[3])
        assert other is None or (other not in text and _company(other) not in text), name


def _company(principal: str) -> str:
    return {"energy01": "Energy One", "telecom01": "Télécom Un"}[principal]


def _refused() -> None:
    for words in (
        (),
        ("--exchange", "a", "--object", "s3://a/b"),
        ("--agent", "a"),
        ("--exchange", "a", "--between", "2026-01-01", "2026-01-02"),
        ("--agent", "a", "--between", "2026-01-02", "2026-01-01"),
        ("--agent", "a", "--between", "x", "y"),
        ("--exchange", "a", "--risk", "none"),
    ):
        assert sluice("breach", "slice", *words).exit == 2, words
    assert sluice("breach", "slice", "--exchange", "00000000-0000-4000-8000-000000000000").error == "SLU-301"
    assert sluice("breach", "slice", "--object", "s3://exchange/nothing/there.csv").error == "SLU-641"
