"""``sluice dial``, ``dncm``, ``suppression check --channel``, ``case rectify`` and ``lift`` as people meet them."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import psycopg
import pytest
from typer.testing import CliRunner

from returns.commands import at_terminal, sluice
from sluice.cli.whole import app
from sluice.exchange.persons.suppressed import keep_out
from sluice.lake.s3 import objects
from sluice.settings import Settings
from sluice.subject.suppression import Suppression
from sluice.terms import Principal
from sluice.times import brussels_today
from support.desk import ENERGY, JANUARY, Desk, open_desk

ENERGY01 = Principal(ENERGY[0])
NOW = datetime(2026, 11, 24, tzinfo=UTC)
LIST = ("dial", "list", *ENERGY, "--purpose", "P-RENEW", "--channel", "phone", "--by", "anna")


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with open_desk(store_settings, tmp_path, JANUARY) as opened, at_terminal(opened, monkeypatch):
        yield opened


def imported(desk: Desk, days_ago: int = 0) -> dict[str, object]:
    path = desk.folder / "dncm.txt"
    path.write_text("NUMBER;DATE\n0470 99 99 99;2026-01-02\n+32470888888;2026-01-02\n")
    day = brussels_today() - timedelta(days=days_ago)
    answer = sluice("dncm", "import", str(path), "--dated", str(day), "--by", "anna")
    assert answer.exit == 0
    return answer.document


def test_a_list_goes_into_the_file_that_was_asked_for_and_nowhere_on_the_screen(desk: Desk) -> None:
    path, _ = desk.campaign(30)
    desk.drop(path)
    desk.work()
    target = desk.folder / "today.csv"
    assert (sluice(*LIST, "--to", str(target)).error, target.exists()) == ("SLU-622", False), "no list of numbers"

    said = imported(desk)
    assert (said["numbers"], said["refused"], said["is_new"]) == (2, 0, True)
    assert imported(desk)["is_new"] is False
    assert [each["numbers"] for each in sluice("dncm", "list").document["lists"]] == [2]
    made = desk.sql("select 1 from exchange")
    assert sluice(*LIST, "--to", str(desk.folder / "nowhere" / "today.csv")).error == "SLU-305"
    assert desk.sql("select 1 from exchange") == made, "it is not made for nobody"
    done = sluice(*LIST, "--to", str(target))

    assert target.stat().st_mode & 0o077 == 0
    people = pl.read_csv(path, separator=";", infer_schema=False)
    yes = people.filter(pl.col("opt_in_phone") == "Y")
    assert pl.read_csv(target, separator=";", infer_schema=False)["customer_number"].to_list() == (
        yes["customer_number"].to_list()
    )
    assert (done.document["rows"], done.document["left_out"]) == (yes.height, {"OPTED_OUT": 30 - yes.height})
    assert done.document["dncm_sha256"] == said["sha256"]
    assert not [value for value in yes["last_name"] if value in json.dumps(done.document)]
    assert sluice("dial", "list", *ENERGY, "--purpose", "P-RENEW", "--channel", "pigeon").exit == 2


@pytest.mark.parametrize("content", ["", "naam\njan\npiet\n", "0470999999\nx\n"])
def test_a_file_that_is_no_number_list_is_refused_whole(desk: Desk, content: str) -> None:
    path = desk.folder / "dncm.txt"
    path.write_text(content)
    assert sluice("dncm", "import", str(path)).error == "SLU-623"
    assert desk.sql("select 1 from dncm_list") == []


def test_a_download_that_was_cut_off_replaces_no_whole_list(desk: Desk) -> None:
    path = desk.folder / "dncm.txt"
    today = brussels_today()

    def said(count: int, *words: str, days_ago: int = 0) -> str | None:
        path.write_text("".join(f"+324700{number:05}\n" for number in range(count)))
        return sluice("dncm", "import", str(path), "--dated", str(today - timedelta(days=days_ago)), *words).error

    assert said(200, days_ago=1) is None
    assert said(189) == "SLU-626"
    [whole] = sluice("dncm", "list").document["lists"]
    assert whole["numbers"] == 200, "the whole one stands"
    assert said(189, days_ago=2) is None, "an older one replaces nothing"
    assert said(190) is None, "control: people do leave it"
    assert said(2, "--smaller") is None
    numbers = [each["numbers"] for each in sluice("dncm", "list").document["lists"]]
    assert (numbers[0], sorted(numbers)) == (2, [2, 189, 190, 200])


def test_an_older_list_is_the_youngest_again_only_where_somebody_says_so(desk: Desk) -> None:
    today = brussels_today()

    def said(count: int, *words: str, days_ago: int = 0) -> str | None:
        path = desk.folder / f"{count}.txt"
        path.write_text("".join(f"+324700{number:05}\n" for number in range(count)))
        return sluice("dncm", "import", str(path), "--dated", str(today - timedelta(days=days_ago)), *words).error

    def first() -> tuple[object, ...]:
        found = sluice("dncm", "list").document["lists"][0]
        return found["numbers"], found["dated_on"], found["imported_by"]

    assert [said(100, days_ago=20), said(102, "--by", "anna", days_ago=1)] == [None, None]
    assert (said(100), first()) == ("SLU-627", (102, str(today - timedelta(days=1)), "anna"))
    assert said(100, days_ago=2) is None, "it is not the youngest by that"
    assert (said(102, "--by", "anna"), first()) == (None, (102, str(today), "anna")), "control: nothing came after it"
    assert (said(99, "--by", "bert"), first()) == (None, (99, str(today), "bert")), "a download that was cut off"

    assert said(102) == "SLU-627"
    again = sluice("dncm", "import", str(desk.folder / "102.txt"), "--again", "--by", "carl")
    assert (again.document["is_new"], first()) == (True, (102, str(today), "carl"))
    assert sluice("dncm", "import", str(desk.folder / "102.txt")).document["is_new"] is False


def test_a_withdrawal_over_one_channel_is_seen_on_that_channel_only(desk: Desk) -> None:
    opened = sluice(
        "case", "open", "--right", "consent_withdrawal", "--identifier", "phone:0470123456", "--purpose",
        "DirectMarketing", "--contact-channel", "sms", "--principal", "energy01", "--by", "anna",
    )  # fmt: skip
    assert opened.exit == 0

    answers = {
        channel: sluice("suppression", "check", "phone:+32470123456", "--channel", channel).document
        for channel in ("sms", "phone", "email")
    }
    assert answers["sms"] == {"suppressed": True, "reasons": ["consent_withdrawn"]}
    assert answers["phone"] == answers["email"] == {"suppressed": False, "reasons": []}
    assert sluice("suppression", "check", "phone:+32470123456").document["suppressed"] is True
    assert sluice("suppression", "check", "phone:+32470123456", "--channel", "pigeon").exit == 2
    lines = b"phone:+32470123456\nphone:geen\nfax:1\ncustomer:A\xff1\n\nphone:0470123499\n"
    done = CliRunner().invoke(app, ["suppression", "check", "-"], input=lines)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["line"] for each in told] == [1, 2, 3, 4, 5, 6] and "470123" not in done.stdout
    assert [each["suppressed"] for each in told] == [True, None, None, None, None, False]
    assert done.exit_code == 2, "as the worst of its lines"
    assert CliRunner().invoke(app, ["suppression", "check", "-"], input=lines.partition(b"\n")[0]).exit_code == 0
    [entry] = desk.sql(
        """select convert_from(body, 'UTF8')::json as body from ledger.entry where kind = 'suppression.changed'"""
    )
    body = entry["body"]
    assert isinstance(body, dict) and body["channel"] == "sms"
    assert body["purposes"] == ["https://w3id.org/dpv#DirectMarketing"]
    assert body["bases"] == ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-a"]


def test_a_batch_looks_once_for_suppressions_that_are_lost(desk: Desk) -> None:
    """A listing of years of them for every line took longer than everything else together."""
    listed = list[str]()
    session = objects._session()._session
    session.register("before-call.s3.ListObjectVersions", lambda **_: listed.append("once"))
    try:
        for count in (1, 3):
            lines = "".join(f"phone:+3247012340{number}\n" for number in range(count))
            done = CliRunner().invoke(app, ["suppression", "check", "-", "--principal", "energy01"], input=lines)
            assert (done.exit_code, len(done.stdout.splitlines()), len(listed)) == (0, count, 1)
            listed.clear()
    finally:
        session.unregister("before-call.s3.ListObjectVersions")

    keep_out(desk.house, ENERGY01, frozenset({"a" * 32}), Suppression.ERASED, cause="x", case_id=None, now=NOW)
    assert desk.settings.database_admin_url
    with closing(psycopg.connect(desk.settings.database_admin_url.get_secret_value(), autocommit=True)) as admin:
        admin.execute("delete from sluice.suppression_run")
    done = CliRunner().invoke(app, ["suppression", "check", "-"], input="phone:+32470123401\n" * 2)
    assert [json.loads(line)["error"]["code"] for line in done.stdout.splitlines()] == ["SLU-417"] * 2


def test_what_is_right_is_sealed_and_only_of_columns_that_there_are(desk: Desk) -> None:
    path = desk.folder / "values.json"
    path.write_text('{"street": "Geheimstraat 7"}')
    words = ("--identifier", "phone:0470123456", "--principal", "energy01", "--by", "anna")
    case = str(sluice("case", "open", "--right", "rectification", *words).document["case"])
    assert sluice("case", "rectify", case, str(path)).exit == 0
    vault = b"".join(desk.house.objects.read(i.bucket, i.key) for i in desk.objects(desk.settings.bucket_vault))
    assert b"Geheimstraat" not in vault
    path.write_text('{"shoe_size": "44"}')
    assert sluice("case", "rectify", case, str(path)).error == "SLU-621"
    for since in ("2999-01-01T00:00:00+01:00", "0001-01-01T00:00:00+01:00", "2026-01-01T00:00:00"):
        assert sluice("case", "rectify", case, str(path), "--as-of", since).exit == 2
    other = str(sluice("case", "open", "--right", "erasure", *words).document["case"])
    path.write_text('{"street": "Geheimstraat 7"}')
    assert sluice("case", "rectify", other, str(path)).error == "SLU-621"
    assert sluice("case", "lift", other).error == "SLU-612"
