"""What principals put under ``acks/`` with their own keys, and what it does: never more than it says."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns.deliveries import DAY, OF_THE_TEST, Shop, at_once, cleared, deliver, open_shops
from sluice.errors import NotFound, Ref, UsageError
from sluice.exchange.house import House
from sluice.exchange.inbox import InboxSweep
from sluice.returns.ack import AckOutcome, AckState, parse_ack
from sluice.returns.ack_store import list_ack_files, list_acknowledgements
from sluice.returns.acks import acknowledge, read_acks
from sluice.returns.reminders import follow
from support.crash import dying
from support.desk import Desk
from support.effort import effort

ID, SHA = "7b0d3f1e-2c00-4e51-9d44-1f0c5f3a7b10", "ab" * 32
GOOD = json.dumps({"exchange": ID, "sha256": SHA}).encode()
Shops = Mapping[str, Shop]


@pytest.fixture
def desk(module_desk: Desk) -> Desk:
    return cleared(module_desk)


@pytest.fixture(scope="module")
def opened_shops(module_desk: Desk, service_var: Path) -> Iterator[Shops]:
    with open_shops(module_desk, service_var) as opened:
        yield opened


@pytest.fixture
def shops(desk: Desk, opened_shops: Shops) -> Shops:
    return opened_shops


def read(desk: Desk) -> InboxSweep:
    return read_acks(desk.house, datetime.now(UTC))


def states(desk: Desk, now: datetime | None = None) -> dict[str, AckState]:
    lines = list_acknowledgements(desk.house.conn, now or datetime.now(UTC))
    return {line.exchange_id: state for line, state in lines}


def entries(desk: Desk, kind: str) -> list[dict[str, object]]:
    rows = desk.house.conn.execute(
        f"""select exchange_id::text as id, chain, body from ledger.entry where kind = %s and {OF_THE_TEST}
            order by chain, seq""",
        (kind,),
    ).fetchall()
    return [{"id": row["id"], "chain": row["chain"], **json.loads(row["body"])} for row in rows]


def test_an_empty_file_says_it_by_its_name_and_json_by_its_two_keys_whatever_the_name_is() -> None:
    for name in (ID, f"{ID}.ack", f"{ID.upper()}.ACK"):
        ack = parse_ack(name, b"")
        assert ack is not None and (ack.exchange_id, ack.sha256) == (ID, None)
    upper = GOOD.upper().replace(b"EXCHANGE", b"exchange").replace(b"SHA256", b"sha256")
    for content in (GOOD, b"\xef\xbb\xbf" + GOOD, upper):
        ack = parse_ack("anything", content)
        assert ack is not None and (ack.exchange_id, ack.sha256) == (ID, SHA)


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b"[]",
        b"null",
        b" ",
        b"\xff\xfe\x00",
        GOOD[:-1],
        GOOD + b"{}",
        json.dumps({"exchange": ID}).encode(),
        json.dumps({"exchange": ID, "sha256": SHA, "note": "x"}).encode(),
        json.dumps({"exchange": [ID], "sha256": SHA}).encode(),
        json.dumps({"exchange": ID + "\n", "sha256": SHA}).encode(),
        json.dumps({"exchange": ID, "sha256": SHA[:-1]}).encode(),
        b'{"exchange": "' + ID.encode() + b'", "exchange": "' + ID.encode() + b'", "sha256": "' + SHA.encode() + b'"}',
        b"[" * 60_000,
        b'{"exchange": ' + b"9" * 5000 + b"}",
        GOOD + b" " * (64 << 10),
    ],
    ids=lambda content: f"{content[:24]!r} of {len(content)}",
)
def test_anything_else_says_nothing(content: bytes) -> None:
    assert parse_ack(f"{ID}.ack", content) is None


@given(name=st.text(max_size=60), content=st.one_of(st.binary(max_size=200), st.just(b"")))
def test_whatever_lies_there_is_read_or_not_and_never_fails(name: str, content: bytes) -> None:
    ack = parse_ack(name, content)
    assert ack is None or content or name.lower().removesuffix(".ack") == ack.exchange_id


def test_a_principal_acknowledges_by_an_empty_file_or_by_the_hash(desk: Desk, shops: Shops) -> None:
    named, hashed = deliver(desk), deliver(desk)
    shops["energy01"].put(f"{named.exchange_id}.ack")
    shops["energy01"].put("campaign_results/today.json", hashed.ack())

    sweep = read(desk)

    assert sweep.outcomes == {"ACKNOWLEDGED": 2}
    assert states(desk) == dict.fromkeys((named.exchange_id, hashed.exchange_id), AckState.ACKNOWLEDGED)
    told = {entry["id"]: entry for entry in entries(desk, "return.acknowledged")}
    assert set(told) == {named.exchange_id, hashed.exchange_id}
    entry = told[named.exchange_id]
    assert (entry["chain"], entry["acknowledged_by"], entry["via"]) == ("DPA-ENERGY01", "energy01", "file")
    assert shops["energy01"].notices() == []


def test_what_lay_there_in_time_is_in_time_however_late_it_is_read(desk: Desk, shops: Shops) -> None:
    delivered = deliver(desk)
    shops["energy01"].put(delivered.exchange_id)
    read_acks(desk.house, datetime.now(UTC) + 9 * DAY)
    assert states(desk)[delivered.exchange_id] is AckState.ACKNOWLEDGED


def test_a_file_of_the_encrypted_copy_is_recognised_by_its_hash_too(desk: Desk, shops: Shops) -> None:
    delivered, encrypted = deliver(desk), "cd" * 32
    desk.house.conn.execute(
        """insert into copy (exchange_id, kind, bucket, key, version_id, sha256, size_bytes)
           values (%s, 'delivered', %s, 'energy01/outbound/campaign_results/x.pgp', 'v', %s, 1)""",
        (delivered.exchange_id, desk.settings.bucket_exchange, encrypted),
    )
    shops["energy01"].put("x.json", delivered.ack(sha256=encrypted))
    assert read(desk).outcomes == {"ACKNOWLEDGED": 1}


@pytest.mark.evidence
def test_each_answer_is_a_state_that_can_be_seen_and_nothing_closes_by_itself(
    desk: Desk, shops: Shops, record_property: Callable[[str, object], None]
) -> None:
    never, late, twice, hashed = deliver(desk), deliver(desk, ago=2 * DAY), deliver(desk), deliver(desk)
    theirs, undelivered = deliver(desk, "telecom01"), deliver(desk, decision="open", is_written_down=False)
    mine = shops["energy01"]
    put = {
        mine.put("late.json", late.ack()): "ACKNOWLEDGED_LATE",
        mine.put("once", twice.ack()): "ACKNOWLEDGED",
        mine.put("unknown", theirs.ack(exchange=ID)): "UNKNOWN_EXCHANGE",
        mine.put("of another principal", theirs.ack()): "OTHER_PRINCIPAL",
        mine.put("too early", undelivered.ack()): "NOT_DELIVERED",
        mine.put("wrong hash", hashed.ack(sha256="0" * 64)): "HASH_DIFFERS",
        mine.put("garbage", os.urandom(300)): "UNREADABLE",
        mine.put(f"{never.exchange_id}.ack", bytes(10 << 20)): "UNREADABLE",
    }
    read(desk)
    put[mine.put("again", twice.ack())] = "ALREADY_ACKNOWLEDGED"
    read(desk)

    seen = {file.version_id: file.outcome.value for file in list_ack_files(desk.house.conn)}
    assert seen == put
    refused = {version: outcome for version, outcome in put.items() if not AckOutcome(outcome).closes}
    assert sorted(mine.notices()) == sorted(f"ack-{version}" for version in refused)
    assert sorted(str(e["outcome"]) for e in entries(desk, "acknowledgement.refused")) == sorted(refused.values())
    assert {e["id"] for e in entries(desk, "acknowledgement.refused")} == {None}
    closed = {late.exchange_id: AckState.ACKNOWLEDGED_LATE, twice.exchange_id: AckState.ACKNOWLEDGED}
    waiting = (never.exchange_id, hashed.exchange_id, theirs.exchange_id)
    assert states(desk) == closed | dict.fromkeys(waiting, AckState.SENT)

    years = datetime.now(UTC) + 3650 * DAY
    assert set(states(desk, datetime.now(UTC) + 2 * DAY).values()) == {*closed.values(), AckState.OVERDUE}
    for _ in range(3):
        follow(desk.house, years)
    assert states(desk, years) == closed | dict.fromkeys(waiting, AckState.ESCALATED)
    assert {e["id"] for e in entries(desk, "return.acknowledged")} == set(closed)
    right = sum(seen[version] == outcome for version, outcome in put.items())
    record_property("B5 files under acks/: each has the outcome it must have", f"{right} of {len(put)}")
    by_itself = set(closed) - {e["id"] for e in entries(desk, "return.acknowledged") if e["acknowledged_by"]}
    record_property("B5 returns closed by anything but an acknowledgement, ten years on", len(by_itself))


def test_another_principals_number_is_told_apart_by_the_desk_but_not_by_the_asker(desk: Desk, shops: Shops) -> None:
    theirs, mine = deliver(desk, "telecom01"), shops["energy01"]
    versions = [mine.put("a", theirs.ack()), mine.put("b", theirs.ack(exchange=ID))]
    read(desk)
    notices = [
        {k: v for k, v in mine.notice(f"ack-{version}").items() if k not in ("file", "seen_at")} for version in versions
    ]
    assert notices[0] == notices[1]
    assert (notices[0]["outcome"], notices[0]["exchange"]) == ("UNKNOWN_EXCHANGE", None)
    assert theirs.exchange_id not in json.dumps(notices)
    assert [f.outcome.value for f in list_ack_files(desk.house.conn, "energy01")].count("OTHER_PRINCIPAL") == 1
    assert shops["telecom01"].notices() == []


def test_a_name_that_could_be_a_persons_reaches_neither_ledger_nor_notice(desk: Desk, shops: Shops) -> None:
    version = shops["energy01"].put("campaign_results/An Peeters +32475123456.txt", b"x")
    read(desk)
    told = json.dumps([entries(desk, "acknowledgement.refused"), shops["energy01"].notice(f"ack-{version}")])
    assert "Peeters" not in told and "475123456" not in told
    assert "[name withheld]" in told


def test_a_file_that_is_faster_than_the_record_of_its_delivery_waits_for_it(desk: Desk, shops: Shops) -> None:
    under_way = deliver(desk, is_written_down=False)
    version = shops["energy01"].put("fast", under_way.ack())
    first = read(desk)
    late = read_acks(desk.house, datetime.now(UTC) + timedelta(hours=2))
    assert (first.outcomes, first.waiting) == ({}, 1)
    assert late.outcomes == {"NOT_DELIVERED": 1}
    assert shops["energy01"].notice(f"ack-{version}")["exchange"] == under_way.exchange_id


def test_an_inbound_exchange_of_their_own_is_no_return(desk: Desk, shops: Shops) -> None:
    desk.house.conn.execute(
        """insert into exchange (exchange_id, principal, direction, flow, bucket, key, version_id, size_bytes, chain)
           values (%s, 'energy01', 'internal', 'f', 'b', 'k', 'v', 1, 'c')""",
        (ID,),
    )
    shops["energy01"].put(ID)
    assert read(desk).outcomes == {"UNKNOWN_EXCHANGE": 1}


def test_a_name_that_no_listing_can_spell_stops_nobody(desk: Desk, shops: Shops) -> None:
    delivered = deliver(desk)
    shops["energy01"].put("a\x01b", b"x")
    shops["energy01"].put("good", delivered.ack())
    assert read(desk) == InboxSweep({"UNREADABLE": 1, "ACKNOWLEDGED": 1}, notices=1)
    assert read(desk) == InboxSweep()


def test_a_second_look_at_the_same_files_does_nothing(desk: Desk, shops: Shops) -> None:
    delivered = deliver(desk)
    shops["energy01"].put("a", delivered.ack())
    shops["energy01"].put("b", b"garbage")
    first, second = read(desk), read(desk)
    assert (first.notices, second) == (1, InboxSweep())
    assert len(desk.sql(f"select 1 from ledger.entry where kind like '%acknowledge%' and {OF_THE_TEST}")) == 2


@pytest.mark.timeout(120)
def test_two_workers_at_once_answer_each_file_once(desk: Desk, shops: Shops) -> None:
    rounds = effort(3, 8)
    for number in range(rounds):
        delivered = deliver(desk)
        shops["energy01"].put(f"{number}-a", delivered.ack())
        shops["energy01"].put(f"{number}-b", delivered.ack())

    sweeps = at_once(desk, *[lambda house: read_acks(house, datetime.now(UTC))] * 2)

    total = {
        key: sum(sweep.outcomes.get(key, 0) for sweep in sweeps) for key in ("ACKNOWLEDGED", "ALREADY_ACKNOWLEDGED")
    }
    assert total == {"ACKNOWLEDGED": rounds, "ALREADY_ACKNOWLEDGED": rounds}
    assert [sweep.failed for sweep in sweeps] == [0, 0]
    assert len(entries(desk, "return.acknowledged")) == len(entries(desk, "acknowledgement.refused")) == rounds
    assert len(shops["energy01"].notices()) == rounds


def test_the_desk_acknowledges_by_command_once(desk: Desk) -> None:
    delivered, conn, now = deliver(desk, ago=2 * DAY), desk.house.conn, datetime.now(UTC)
    first = acknowledge(conn, delivered.exchange_id[:8].upper(), "desk, by telephone", now)
    second = acknowledge(conn, delivered.exchange_id, "somebody else", now)
    assert (first.outcome, second.outcome) == (AckOutcome.ACKNOWLEDGED_LATE, AckOutcome.ALREADY_ACKNOWLEDGED)
    (line, state), *_ = list_acknowledgements(conn, now)
    assert (line.acknowledged_by, line.via, state) == ("desk, by telephone", "command", AckState.ACKNOWLEDGED_LATE)
    assert [entry["was_late"] for entry in entries(desk, "return.acknowledged")] == [True]


def test_two_people_at_once_acknowledge_it_once(desk: Desk) -> None:
    now = datetime.now(UTC)
    for _ in range(effort(3, 10)):
        exchange_id = deliver(desk).exchange_id

        def of(name: str, exchange_id: str = exchange_id) -> Callable[[House], AckOutcome]:
            return lambda house: acknowledge(house.conn, exchange_id, name, now).outcome

        outcomes = at_once(desk, *map(of, ("An", "Bo", "Cy")))
        assert sorted(outcomes) == ["ACKNOWLEDGED", "ALREADY_ACKNOWLEDGED", "ALREADY_ACKNOWLEDGED"]


def test_the_command_keeps_one_spelling_of_whoever_says_so(desk: Desk) -> None:
    made, now = deliver(desk), datetime.now(UTC)
    said = acknowledge(desk.house.conn, made.exchange_id[:9].upper(), "E\u0301lodie  Maes", now)
    assert (said.exchange_id, said.outcome) == (made.exchange_id, AckOutcome.ACKNOWLEDGED)
    assert [entry["acknowledged_by"] for entry in entries(desk, "return.acknowledged")] == ["Élodie Maes"]


def test_the_command_needs_a_delivered_return_and_a_name(desk: Desk) -> None:
    waiting, conn, now = deliver(desk, decision="open", is_written_down=False), desk.house.conn, datetime.now(UTC)
    assert acknowledge(conn, waiting.exchange_id, "desk", now).outcome is AckOutcome.NOT_DELIVERED
    with pytest.raises(NotFound):
        acknowledge(conn, ID, "desk", now)
    for named in ("", "%", "----", "An Peeters", waiting.exchange_id.replace("-", "")):
        with pytest.raises(NotFound) as unknown:
            acknowledge(conn, named, "desk", now)
        assert unknown.value.refs == (Ref("return", "as given"),)
    for name in (
        "",
        "x" * 101,
        "An \u0420eeters",
        *(f"an{mark}na" for mark in "\x1b\x7f\x85\x9b\xad\u200b\u202e\u2028\u2029"),
    ):
        with pytest.raises(UsageError):
            acknowledge(conn, waiting.exchange_id, name, now)


@pytest.mark.timeout(300)
@pytest.mark.slow
@pytest.mark.evidence
def test_killed_anywhere_a_rerun_answers_each_file_once_and_owes_no_notice(
    desk: Desk, shops: Shops, record_property: Callable[[str, object], None]
) -> None:
    now = datetime.now(UTC) + 2 * DAY
    steps, deaths, point, owing = 0, 0, 0, 0
    with dying(desk.settings, "acks") as victim:
        while point <= steps:
            delivered, ignored = deliver(desk), deliver(desk)
            shops["energy01"].put(f"{point}-good", delivered.ack())
            shops["energy01"].put(f"{point}-bad", b"garbage")
            was_killed, counted = victim(point, now.isoformat())
            steps = steps or counted
            deaths += was_killed
            again = follow(desk.house, now)
            assert again.failed == 0
            owing += not again.acks.outcomes and again.acks.notices > 0
            assert_consistent(desk, shops["energy01"])
            assert states(desk, now)[ignored.exchange_id] is AckState.REMINDED
            point += max(1, steps // effort(3, 12))
        victim(0, now.isoformat())
    assert deaths >= effort(3, 12)
    assert owing >= 1  # at least one died after its record and before its notice
    assert_consistent(desk, shops["energy01"])
    record_property("B5 SIGKILL points of reading acknowledgements, consistent after rerun", f"{deaths} of {deaths}")


def assert_consistent(desk: Desk, shop: Shop) -> None:
    """Every file has one record and one entry; every record that owes a notice has it, and no other is there."""
    files = desk.sql("select version_id, outcome from ack_file")
    lines = desk.sql("select exchange_id::text as id, reminded_at, acknowledged_at from acknowledgement")
    acked = {row["id"] for row in lines if row["acknowledged_at"]}
    reminded = {row["id"] for row in lines if row["reminded_at"]}
    put = {item.version_id for item in desk.objects(desk.settings.bucket_exchange) if "/acks/" in item.key}
    assert {row["version_id"] for row in files} == put
    assert {entry["id"] for entry in entries(desk, "return.acknowledged")} == acked
    assert {entry["id"] for entry in entries(desk, "return.reminded")} == reminded
    refused = [row["version_id"] for row in files if row["outcome"] == "UNREADABLE"]
    assert sorted(str(e["version_id"]) for e in entries(desk, "acknowledgement.refused")) == sorted(map(str, refused))
    owed = {f"ack-{version}" for version in refused} | {f"reminded-{each}" for each in reminded}
    assert set(shop.notices()) == owed


def test_the_check_sees_a_notice_that_is_owed_and_a_file_that_has_no_record(desk: Desk, shops: Shops) -> None:
    """The control."""
    version = shops["energy01"].put("bad", b"garbage")
    with pytest.raises(AssertionError):
        assert_consistent(desk, shops["energy01"])
    read(desk)
    assert_consistent(desk, shops["energy01"])
    key = f"energy01/notices/ack-{version}.json"
    notice = next(item for item in desk.objects(desk.settings.bucket_exchange) if item.key == key)
    desk.house.objects.delete_version(notice.bucket, notice.key, notice.version_id)
    with pytest.raises(AssertionError):
        assert_consistent(desk, shops["energy01"])
