"""Where a person's rows went: every exchange that holds them, in which roles, to whom; and no other exchange."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pysequoia import Tsk
from typer.testing import CliRunner

from returns.commands import at_terminal, sluice
from rights.town import Town, open_town, papers_of
from sluice.cli.whole import app
from sluice.errors import UsageError
from sluice.exchange.read import list_exchanges
from sluice.exchange.store import get_opened
from sluice.lineage.drawing import LAKE
from sluice.lineage.trace import trace_exchange
from sluice.returns.drain import drain_returns
from sluice.returns.release import release
from sluice.rights.erasure.erase import run
from sluice.rights.journey import Journey, follow_case, journey_of
from sluice.rights.person.identifiers import parse_identifier
from sluice.settings import Settings
from sluice.terms import ExchangeId, Principal
from support.copies import Copies
from support.night import AGREEMENT, RESULTS, change, seal_returns

pytestmark = pytest.mark.stores
NAMES = ("energy01", "gas01")


def planted(settings: Settings, folder: Path) -> None:
    """Person 0: in the file of both and in the return of one; person 1: in one file only; person 2: nowhere."""
    with open_town(papers_of(settings, folder, NAMES), folder, NAMES, 3) as opened:
        one, other, _ = opened.people
        opened.arrive("energy01", [one, other])
        opened.arrive("gas01", [one])
        opened.give_back("energy01", [one])


@pytest.fixture(scope="module")
def town(copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """For tests that only read."""
    folder = tmp_path_factory.mktemp("town")
    with copies.lend(planted, folder) as settings, open_town(settings, folder, NAMES, 3) as opened:
        yield opened


@pytest.fixture
def own(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, NAMES, 3) as opened:
        yield opened


def locked(settings: Settings, folder: Path) -> None:
    """Persons 0 and 1 are in the return of both: energy01 got its own under PGP, gas01 never got one.

    Where its contract would lie beside the file there lies something else, so nothing was delivered.
    """
    key = Tsk.generate("exchange@energy01.example").extract_certificate()
    changed = papers_of(settings, folder, NAMES)
    one, other = (changed.principals_dir / name / AGREEMENT for name in NAMES)
    seal_returns(one, key)
    change(other, "twoPersonRelease: false", "twoPersonRelease: true")
    with open_town(changed, folder, NAMES, 3) as opened:
        for name in NAMES:
            opened.arrive(name, opened.people[:2])
            opened.give_back(name, opened.people[:2])
        [waits] = [each for each in list_exchanges(opened.house.conn) if each.decision == "open"]
        beside = f"{get_opened(opened.house.conn, ExchangeId(waits.id)).key}.odcs.yaml"
        opened.house.objects.put(opened.desk.settings.bucket_exchange, beside, b"not ours", "application/yaml")
        release(opened.house, waits.id, "bert", datetime.now(UTC))
        drain_returns(opened.house, Principal("gas01"), RESULTS, datetime.now(UTC), {})


def journey(town: Town, number: int, spelled: str = "{}") -> Journey:
    phone = spelled.format(town.people[number].phone)
    return journey_of(town.house, [parse_identifier(f"phone:{phone}", 1)], [Principal(name) for name in NAMES])


def test_a_persons_rows_are_followed_through_every_exchange_and_no_other(town: Town) -> None:
    ways = [(each.principal, each.direction) for each in journey(town, 0).passages]
    assert sorted(ways) == [
        ("energy01", "inbound"),
        ("energy01", "internal"),
        ("energy01", "outbound_return"),
        ("gas01", "inbound"),
    ]
    assert [(each.principal, each.direction) for each in journey(town, 1).passages] == [("energy01", "inbound")]
    assert len(list_exchanges(town.house.conn)) >= 4, "there were others to be shown"


def test_a_passage_says_in_which_role_and_to_whom(town: Town) -> None:
    [back] = [each for each in journey(town, 0).passages if each.direction == "outbound_return"]
    [came] = [each for each in journey(town, 0).passages if (each.principal, each.direction) == ("gas01", "inbound")]
    roles = {role.field_group: (role.profile, role.controller, role.processor) for role in back.roles}

    assert "energy01" in back.recipients and back.sender == "center" and came.sender == "gas01"
    assert (
        roles["disposition"][1] == "center"
        and roles["identity" if "identity" in roles else "contract"][1] == "principal"
    )
    assert {role.controller for role in came.roles} == {"principal"}


def test_the_graph_begins_with_the_person_and_names_nobody(town: Town) -> None:
    told = journey(town, 0)
    person = town.people[0]
    ends = {edge.target for edge in told.graph.edges if edge.source == told.graph.nodes[0].id}

    assert ends == {f"exchange:{each.exchange}" for each in told.passages}
    assert {end for edge in told.graph.edges for end in (edge.source, edge.target)} <= {n.id for n in told.graph.nodes}
    for value in (person.phone, person.record("energy01"), person.record("gas01")):
        assert value not in repr(told)


def test_somebody_unknown_has_no_way_and_hears_what_was_searched(town: Town) -> None:
    nobody = journey(town, 2)
    assert (nobody.passages, nobody.paths, nobody.searched) == ((), (), NAMES)
    assert [node.kind for node in nobody.graph.nodes] == ["person"]


def test_a_return_that_was_delivered_has_reached_them_after_it_was_removed_for_somebody_else(
    copies: Copies, tmp_path: Path
) -> None:
    """A file under PGP goes whole with one of its persons; the other was in it when its principal got it."""
    with copies.of(locked, tmp_path) as settings, open_town(settings, tmp_path, NAMES, 3) as town:
        what_was_never_delivered_is_no_way_of_the_data(town)
        before = reached(town, 1)
        case = town.decided(town.people[0])
        assert run(town.house, case.case_id, datetime.now(UTC)).residual == 0
        gone = town.house.conn.execute(
            "select e.principal from copy c join exchange e using (exchange_id) where c.kind = 'delivered'"
            " and c.gone_at is not null"
        ).fetchall()
        after = reached(town, 1)

    assert [row["principal"] for row in gone] == ["energy01"], "the erasure removed the file"
    assert before["energy01"] == ("energy01",) and before["gas01"] == (), "control: never delivered, reached nobody"
    assert after == before


def test_of_a_file_that_brought_an_erased_person_back_the_way_does_not_lead_into_the_lake(own: Town) -> None:
    """The others of it are there; they were kept out, and stand in the file as it came only."""
    case = own.decided(own.people[0])
    assert run(own.house, case.case_id, datetime.now(UTC)).residual == 0
    assert journey(own, 0).passages == (), "the index says nothing of them"
    assert len(journey(own, 1).passages) == 1, "everybody else is followed as before"
    own.arrive("energy01", own.people, "later.csv")
    later = list_exchanges(own.house.conn)[0]
    assert (later.rows_accepted, later.rows_held) == (len(own.people) - 1, 1), "control"

    drawn = follow_case(own.house, case.case_id, datetime.now(UTC)).followed.drawing

    theirs = {box.id: box.is_own for box in drawn.boxes if box.exchange == later.id}
    assert theirs[f"exchange:{later.id}"] and theirs[f"file:{later.id}"]
    assert not theirs[f"{LAKE}:{later.id}"]
    other = own.ask(own.people[1])
    seen = follow_case(own.house, other.case_id, datetime.now(UTC)).followed.drawing
    ways = {box.id: box.is_own for box in seen.boxes if box.exchange == later.id}
    assert ways[f"{LAKE}:{later.id}"], "control: of somebody who is in it it does"


def what_was_never_delivered_is_no_way_of_the_data(town: Town) -> None:
    """The graph says of it what the passage says: it reached nobody. It was made all the same, and waits here."""
    told = journey(town, 1)
    returns = {each.principal: each.exchange for each in told.passages if each.direction == "outbound_return"}
    waits = f"exchange:{returns['gas01']}"
    alone = trace_exchange(town.house.conn, returns["gas01"])
    control = trace_exchange(town.house.conn, returns["energy01"])
    for graph in (told.graph, alone.graph):
        assert {edge.verb for edge in graph.edges if edge.source == waits} >= {"made return", "is for"}
        assert "delivered" not in {edge.verb for edge in graph.edges if edge.source == waits}
    assert not [path for path in (*told.paths, *alone.paths) if "gas01/outbound/" in path[-1]]
    assert [path for path in told.paths if "energy01/outbound/" in path[-1]]
    assert [path for path in control.paths if "energy01/outbound/" in path[-1]]


def reached(town: Town, number: int) -> dict[str, tuple[str, ...]]:
    """Whom the returns that hold a person reached, by principal."""
    found = journey(town, number).passages
    return {each.principal: each.recipients for each in found if each.direction == "outbound_return"}


def test_the_command_prints_what_the_specification_asks(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = town.people[0].phone
    with at_terminal(town.desk, monkeypatch):
        told = sluice("lineage", "show", "--subject", f"phone:{phone}")
        only = sluice("lineage", "show", "--subject", f"phone:{phone}", "--principal", "gas01")
        show = ["lineage", "show", "--subject", "-", "--format", "json"]
        one_line, two_lines = (
            CliRunner().invoke(app, show, input=f"phone:{phone}\n{more}") for more in ("\n", "phone:0470000000\n")
        )
        both = sluice("lineage", "show", "--subject", f"phone:{phone}", "--exchange", "x")
    assert json.loads(one_line.stdout) == told.document
    assert isinstance(two_lines.exception, UsageError) and "ONE_LINE_OF_STDIN" in str(two_lines.exception)

    assert {"nodes", "edges", "exchanges", "searched"} <= set(told.document)
    assert len(told.document["exchanges"]) == 4 and len(only.document["exchanges"]) == 1
    assert phone not in json.dumps(told.document) and both.exit == 2
