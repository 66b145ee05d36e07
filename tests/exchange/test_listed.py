"""A list of exchanges can be added up, read by a program, and asked of by the beginning of an id."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from returns.commands import at_terminal, sluice
from sluice.cli.whole import app
from sluice.db import Connection, connect_to
from sluice.errors import Ambiguous, NotFound, Ref, is_beginning
from sluice.exchange.beginning import get_by_beginning
from sluice.sample.faults import FaultPlan
from sluice.settings import get_settings
from support.copies import Copies
from support.desk import Desk
from support.night import Night, copied_night
from support.stores import Database
from web.desk_work import fill

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def test_rows_add_up_moments_are_iso_and_the_beginning_of_an_id_is_enough(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, _ = desk.campaign(300, faults=FaultPlan(bad_phone=3))
    desk.drop(file.read_bytes(), "leads.csv")
    desk.work()
    with at_terminal(desk, monkeypatch):
        [line] = sluice("exchange", "list").document["exchanges"]
        assert (line["rows_in"], line["rows_held"]) == (300, 0)
        assert line["rows_in"] == line["rows_accepted"] + line["rows_refused"] + line["rows_held"]
        assert line["rows_refused"] > 0, "control"
        assert MOMENT.fullmatch(line["opened_at"]) and MOMENT.fullmatch(line["closed_at"])

        short, whole = (sluice("lineage", "show", "--exchange", each).document for each in (line["id"][:8], line["id"]))
        assert short == whole and short["nodes"]
        assert sluice("lineage", "show", "--exchange", "00000000").error == "SLU-301"


def test_a_list_names_the_file_unless_its_name_could_be_a_persons(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("leads_20261130.csv", "jan 0470123456.csv", "klant-123456.csv"):
        desk.drop(name.encode(), name)
        desk.open_new()
    named, withheld = "leads_20261130.csv", "[name withheld]"
    with at_terminal(desk, monkeypatch):
        listed = sluice("exchange", "list").document["exchanges"]
        assert [line["file"] for line in listed] == [withheld, withheld, named]

        table = CliRunner().invoke(app, ["exchange", "list"]).stdout
        assert [table.count(word) for word in (named, withheld, "0470123456", "123456.csv")] == [1, 2, 0, 0]
        assert listed[0]["id"] in table, "no word is broken"


def test_a_list_that_ends_at_its_limit_says_so_and_takes_its_own_moments(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one.csv", "two.csv"):
        desk.drop(name.encode(), name)
        desk.open_new()
    newest, oldest = desk.lines()
    with at_terminal(desk, monkeypatch):
        cut = CliRunner().invoke(app, ["exchange", "list", "--limit", "1", "--format", "json"])
        assert [each["id"] for each in json.loads(cut.stdout)["exchanges"]] == [newest.id]
        assert json.loads(cut.stdout)["more"] is True
        assert cut.stderr == "1 shown; there are more: `--limit N`\n"
        whole = CliRunner().invoke(app, ["exchange", "list", "--limit", "2", "--format", "json"])
        listed = json.loads(whole.stdout)["exchanges"]
        assert ([each["id"] for each in listed], whole.stderr) == ([newest.id, oldest.id], ""), "control"

        for moment in (listed[0]["opened_at"], newest.opened_at.isoformat()):
            since = sluice("exchange", "list", "--since", moment)
            assert [each["id"] for each in since.document["exchanges"]] == [newest.id], moment
        assert sluice("exchange", "list", "--since", "yesterday").error == "SLU-304"


def test_the_six_answers_are_told_to_people_in_lines_and_tables(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    file, _ = desk.campaign(60)
    desk.drop(file.read_bytes(), "leads.csv")
    desk.work()
    with at_terminal(desk, monkeypatch):
        [line] = sluice("exchange", "list").document["exchanges"]
        told = CliRunner().invoke(app, ["exchange", "show", line["id"]]).stdout

    assert [
        each for each in ("why: purposes", "what: columns", "how long: copies", "P-RENEW") if each not in told
    ] == []
    heads = [line.strip() for line in told.splitlines() if line and line[0].isalpha()]
    assert heads[:2] == ["exchange", "why"], "what is of no answer stands first, in one table with a name"
    assert [line for line in told.splitlines() if line.startswith(":")] == []
    assert [each for each in ("[{", "{'", "None", "w3id.org") if each in told] == [], "nothing of how Python writes it"


def test_a_wrong_moment_is_told_where_no_service_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLUICE_VAR", str(tmp_path / "none"))
    get_settings.cache_clear()
    assert sluice("exchange", "list", "--since", "31/12/2026").error == "SLU-304"
    assert sluice("exchange", "list", "--since", "2026-12-31").error == "SLU-102", "control"
    get_settings.cache_clear()


HYPHENS = (8, 13, 18, 23)
FORMS = (str.lower, str.upper, str.swapcase, str.title)


@given(st.uuids(), st.integers(1, 36))
def test_every_piece_that_a_uuid_begins_with_is_a_beginning(whole: UUID, length: int) -> None:
    begun = str(whole)[:length]
    assert is_beginning(begun)
    assert not any(map(is_beginning, (f"{begun}g", f" {begun}", f"{begun}\n", f"{whole}0", f"-{begun}")))


@given(st.text("0123456789abcdef-", max_size=40))
def test_nothing_else_is(text: str) -> None:
    fits = all((sign == "-") == (place in HYPHENS) for place, sign in enumerate(text))
    assert is_beginning(text) == (0 < len(text) <= 36 and fits)


@pytest.fixture
def conn(database: Database) -> Iterator[Connection]:
    with connect_to(database.app_url) as connection:
        yield connection


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    family=st.sets(st.integers(0, 0xFFF), min_size=1, max_size=6),
    others=st.lists(st.uuids(), max_size=3),
    length=st.integers(1, 37),
    form=st.sampled_from(FORMS),
)
def test_it_finds_the_one_that_begins_so_and_tells_none_from_several(
    conn: Connection, family: set[int], others: list[UUID], length: int, form: Callable[[str], str]
) -> None:
    """Against the plain rule: of ids of which some share all but their last three digits, those that begin so."""
    ids = [*(f"3f0c21aa-9d44-4e51-a000-1f0c5f3a7{last:03x}" for last in family), *map(str, others)]
    among = "select id from unnest(array[{}]::uuid[]) as one(id)".format(", ".join(f"'{each}'" for each in ids))
    typed = f"{ids[0]}0"[:length]
    found = {each for each in ids if each.startswith(typed)}

    if len(found) == 1:
        assert get_by_beginning(conn, "case", form(typed), among) == ids[0]
        return
    with pytest.raises(NotFound) as refused:
        get_by_beginning(conn, "case", form(typed), among)
    assert (type(refused.value) is Ambiguous) == (len(found) > 1)
    assert refused.value.refs == (Ref("case", typed if length < 37 else "as given"),)


@pytest.fixture
def night(copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    """An installation with an exchange, a case, a notice and a hold."""
    with copied_night(copies, tmp_path, fill=fill) as opened, at_terminal(opened.desk, monkeypatch):
        yield opened


def also(night: Night, table: str, column: str, number: str, **other: str) -> None:
    """Copy a row under an id that differs in its last digit."""
    changed = {column: number[:-1] + ("0" if number[-1] != "0" else "1"), **other}
    pairs = ", ".join(f"'{name}', '{value}'::text" for name, value in changed.items())
    night.desk.house.conn.execute(
        f"""insert into {table} select (jsonb_populate_record(t, jsonb_build_object({pairs}))).*
            from {table} t where {column} = '{number}'""".encode()
    )


ANOTHER = {"version_id": "another", "sha256": "0" * 64}


DOORS: tuple[tuple[str, str, tuple[str, ...], dict[str, str]], ...] = (
    ("subject_case", "case_id", ("case", "show"), {}),
    ("notice", "notice_id", ("notices", "export", "--to"), {"recipient": "Another NV"}),
    ("exchange where direction = 'inbound'", "exchange_id", ("exchange", "show"), ANOTHER),
    ("exchange where direction = 'outbound_return'", "exchange_id", ("recipients", "ack", "--by", "anna"), ANOTHER),
    ("legal_hold", "hold_id", ("retention", "lift", "--by", "anna"), {}),
)


def test_every_door_has_the_same_rule(night: Night, tmp_path: Path) -> None:
    held = ("--until", "2999-01-01", "--reason", "legal-claims", "--reference", "C-1", "--by", "anna")
    assert sluice("retention", "hold", "energy01", *held).exit == 0
    numbers = count()
    for table, column, verb, other in DOORS:
        [row] = night.desk.sql(f"select {column}::text as id from {table} order by 1 limit 1")
        number = str(row["id"])

        def error(named: str, verb: tuple[str, ...] = verb) -> str | None:
            more = (str(tmp_path / f"{next(numbers)}.json"),) if verb[-1] == "--to" else ()
            return sluice(*verb[:2], named, *verb[2:], *more).error

        none = (
            f"{number[0]}---",
            "g",
            number.replace("-", ""),
            f"{number[:8]}{number[9:11]}",
            f"{number}0",
            "0470123456",
        )
        assert [error(named) for named in none] == ["SLU-301"] * len(none), verb
        for named in (number[:8].upper(), number[:11], number[:14].upper(), number, number.upper()):
            assert error(named) not in ("SLU-301", "SLU-307"), (verb, named)
        also(night, table.split()[0], column, number, **other)
        assert [error(named) for named in (number[:8], number[:-1].upper())] == ["SLU-307"] * 2, verb
        assert error(number) not in ("SLU-301", "SLU-307"), verb
