"""S-21: names, columns and cells that are programs for somebody stay text: one event, one log line, nothing run."""

import json
import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk import BaseOperator

from leaks.canaries import draw
from leaks.plants import COLUMNS, as_csv, row
from returns.commands import at_terminal
from sluice.lake.s3.objects import StoredObject
from sluice.orchestration.notifiers import DeskNotifier
from sluice.orchestration.operators import DrainFlow
from sluice.settings import Settings
from support.desk import ENERGY, Desk, open_desk
from support.effort import chosen

pytestmark = pytest.mark.slow  # importing Airflow's operators takes seconds
PROGRAMS = (
    "{{ 30041 * 40011077 }}", "{{ dag.dag_id }}", "{% raw %}x{% endraw %}",
    "${30041*40011077}", "<%= 30041*40011077 %>",
    "$(touch {mark})", "`touch {mark}`", "; touch {mark} #", "| touch {mark}",
    "'; DROP TABLE exchange; --", "\"; DROP TABLE exchange; --", "1); DELETE FROM exchange; --",
    "$1", "%(id)s", "%s %d %n",
    "{0.__class__}", "__import__('os').system('touch {mark}')", "\x1b[2J\x1b[31mred", "\x1b]0;title\x07",
    "a\r\nINFO forged line", "a\nlevel=error", "a\rb", "\u2028INFO forged", "\u202eexe.gnp", "\x07",
)  # fmt: skip
"""Templates, shells, SQL, formats, terminals, log lines."""
PRODUCT = str(30041 * 40011077)
"""Thirteen digits, one more than the longest part of a UUID: no identifier in a log line holds them by chance."""
EVALUATED = (PRODUCT, "energy01__", "<class 'str'>")


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "was-evaluated"


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    lineage = f"file://{tmp_path}/lineage.ndjson"
    with open_desk(store_settings.model_copy(update={"lineage_url": lineage}), tmp_path) as opened:
        yield opened


def programs(mark: Path) -> list[str]:
    return [each.replace("{mark}", str(mark)) for each in PROGRAMS]


def in_cells(texts: list[str]) -> bytes:
    """Every text in a column that takes any text, and in ones that do not."""
    people = draw(1, len(texts))
    return as_csv([row(who, note=text, street=text, tariff=text) for who, text in zip(people, texts, strict=True)])


def in_header(texts: list[str]) -> bytes:
    return as_csv([row(each) for each in draw(2, 20)], [*COLUMNS[:-1], *texts[:1]])


def worked(desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the task of the flow logs while it takes everything in, and what the desk is told afterwards."""
    caplog.clear()
    ti = SimpleNamespace(dag_id="d", run_id="r", task_id="drain", map_index=0, try_number=1)
    dag_run = SimpleNamespace(logical_date=None, run_after=datetime.now(UTC), clear_number=0)
    desk.open_new()
    with at_terminal(desk, monkeypatch), caplog.at_level(logging.INFO):
        DrainFlow(task_id="drain", direction="inbound", principal=ENERGY[0], flow=ENERGY[1], slot=0).execute(
            {"ti": ti, "dag_run": dag_run}
        )
        DeskNotifier("REFUSED").notify({"ti": ti})
    return [record.getMessage() for record in caplog.records if record.name.startswith(("airflow", "sluice"))]


@pytest.mark.evidence
def test_programs_in_cells_columns_and_names_are_text(
    desk: Desk, mark: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    texts = programs(mark)
    dropped = [desk.drop(in_cells(texts), "cells.csv")]
    dropped += [desk.drop(in_header([text]), f"header-{number}.csv") for number, text in enumerate(chosen(texts, 6))]
    dropped += [desk.drop(in_cells(texts[:1]), name) for name in chosen(names(texts), 6)]

    said = worked(desk, monkeypatch, caplog)

    assert not mark.exists()
    assert said and not [line for line in said if any(ord(sign) < 32 or sign in "\x7f\u2028\u202e" for sign in line)]
    assert not [word for word in EVALUATED for line in said if word in line]
    check_events(desk, dropped)
    assert lake_has(desk, dropped[0], texts)
    records = [record.model_dump() for each in dropped if (record := desk.shown(each).record)]
    answers = list(words_of(records))
    assert len(answers) > 20 * len(dropped)
    assert not [text for text in texts for answer in answers if len(text) > 6 and text in answer]


def words_of(said: object) -> Iterator[str]:
    """Every string in what a record says, as it is read, with its keys."""
    if isinstance(said, dict):
        yield from (word for pair in said.items() for each in pair for word in words_of(each))
    elif isinstance(said, list | tuple):
        yield from (word for each in said for word in words_of(each))
    elif said is not None:
        yield str(said)


def names(texts: list[str]) -> list[str]:
    """Keys that S3 takes; a slash would be a folder."""
    plain = [text.replace("/", "_") for text in texts]
    return [f"{text}.csv" for text in plain if text.isprintable()]


def check_events(desk: Desk, dropped: list[StoredObject]) -> None:
    """Of each file: one exchange, one closing entry, one line of lineage when it began and one when it ended."""
    ids = [desk.line(each).id for each in dropped]
    assert len(set(ids)) == len(ids) == len(desk.lines())
    closed = desk.sql("select exchange_id::text as id from ledger.entry where kind = 'exchange.closed'")
    assert sorted(str(each["id"]) for each in closed) == sorted(ids)
    lines = (desk.folder / "lineage.ndjson").read_bytes().split(b"\n")
    assert lines.pop() == b""
    events = [json.loads(line) for line in lines]
    ends = [(each["run"]["runId"], each["eventType"]) for each in events if each["eventType"] != "START"]
    assert sorted(run for run, _ in ends) == sorted(ids)
    assert not [line for line in lines for word in (b"DROP TABLE", b"touch ", b"\x1b") if word in line]


def lake_has(desk: Desk, dropped: StoredObject, texts: list[str]) -> bool:
    """Whether every program that was a cell is a cell, character for character."""
    import io

    import polars as pl

    from sluice.exchange.read import get_accepted

    item = get_accepted(desk.house.conn, desk.line(dropped).id)
    table = pl.read_parquet(io.BytesIO(desk.house.objects.read(item.bucket, item.key, item.version_id)))
    return set(texts) <= set(table["note"].to_list())


class Templated(BaseOperator):
    """The control: a field that a careless operator takes from a file."""

    template_fields = ("text",)

    def __init__(self, *, text: str, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.text = text


def test_an_operator_with_a_templated_field_evaluates_it(mark: Path) -> None:
    task = Templated(task_id="t", text=PROGRAMS[0])
    task.render_template_fields({})
    assert task.text == PRODUCT


def test_a_shell_runs_it_and_a_bare_log_line_is_two(mark: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The controls of the other two."""
    os.system(f"echo {programs(mark)[5]} > /dev/null")
    assert mark.exists()
    with caplog.at_level(logging.INFO):
        logging.getLogger("control").info("file %s", "a\r\nINFO forged line")
    assert len(caplog.text.splitlines()) == 2
