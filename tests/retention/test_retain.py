"""On a real store: a copy goes on its day and not before, a hold keeps it, the end of an agreement takes the rest."""

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from copies import Copies
from desk import Desk
from effort import effort
from night import AGREEMENT, Edit, Night, copied_night, open_night, with_papers
from returns.commands import at_terminal, sluice
from rights.asking import asked
from sluice.agreement.in_force.activate import activate_all
from sluice.errors import NotFound
from sluice.exchange import open as opening
from sluice.exchange.catalogue import find_copies, insert_copies
from sluice.exchange.house import House, open_house
from sluice.ledger.record import CopyLine
from sluice.retention import store
from sluice.retention.holds import confirm_return, hold, lift
from sluice.retention.model import HoldReason, RetentionRefused
from sluice.retention.run import Retained, find_due, retain
from sluice.rights.erasure.erase import run
from sluice.settings import Settings
from sluice.terms import ExchangeId, Flow, Principal
from sluice.times import BRUSSELS, brussels_today
from stores import client_of

ENERGY, TELECOM = Principal("energy01"), Principal("telecom01")
TODAY = brussels_today()
COPIES = effort(400, 10_000)
DAYS = 45
PROSE = "Een bladzijde die niemand als tabel kan lezen. " * 40


def at_night(day: date) -> datetime:
    """When the DAG runs on a day of Brussels."""
    return datetime.combine(day, time(1, 20), BRUSSELS).astimezone(UTC)


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    """Contacts of energy01 were accepted."""
    with copied_night(copies, tmp_path) as opened:
        yield opened


@pytest.fixture
def terminal(night: Night, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with at_terminal(night.desk, monkeypatch):
        yield


def lake_of(night: Night) -> CopyLine:
    [line] = night.desk.lines()
    return next(copy for copy in find_copies(night.desk.house.conn, ExchangeId(line.id)) if copy.kind == "lake")


def exists(desk: Desk, copy: CopyLine) -> bool:
    return any(item.version_id == copy.version_id for item in desk.house.objects.list_versions(copy.bucket, copy.key))


def last_day(copy: CopyLine) -> date:
    assert copy.delete_after is not None
    return date.fromisoformat(copy.delete_after)


def test_a_copy_goes_on_the_day_after_its_last_one_and_the_ledger_says_so(night: Night) -> None:
    house, lake = night.desk.house, lake_of(night)

    retain(house, at_night(last_day(lake)))
    assert exists(night.desk, lake)
    done = retain(house, at_night(last_day(lake) + timedelta(days=1)))

    assert done.deleted >= 1
    assert not exists(night.desk, lake)
    assert night.desk.sql("select count(*) as n from accepted_data")[0]["n"] == 0
    [told] = [body for body in entries(night, "copies.deleted") if any(c["kind"] == "lake" for c in body["copies"])]
    [line] = [copy for copy in told["copies"] if copy["kind"] == "lake"]
    assert (line["sha256"], line["last_day"], line["why"]) == (lake.sha256, lake.delete_after, "rule")
    assert retain(house, at_night(last_day(lake) + timedelta(days=2))).deleted == 0


def test_a_hold_keeps_a_copy_until_its_last_day_or_until_it_is_lifted(night: Night) -> None:
    house, lake = night.desk.house, lake_of(night)
    day, [line] = last_day(lake), night.desk.lines()
    made = hold(
        house.conn, ENERGY, HoldReason.LEGAL_CLAIMS, "C-2026-1", day + timedelta(days=9), "an", datetime.now(UTC),
        exchange_id=ExchangeId(line.id),
    )  # fmt: skip

    held = retain(house, at_night(day + timedelta(days=9)))
    assert exists(night.desk, lake)
    assert held.deleted == 0 and held.held >= 1
    lift(house.conn, made.hold_id[:8], "bert", datetime.now(UTC))
    with pytest.raises(RetentionRefused, match="ALREADY_LIFTED"):
        lift(house.conn, made.hold_id, "bert", datetime.now(UTC))
    retain(house, at_night(day + timedelta(days=9)))
    assert not exists(night.desk, lake)
    assert [body["hold_id"] for kind in ("hold.set", "hold.lifted") for body in entries(night, kind)] == [
        made.hold_id
    ] * 2


def test_a_hold_says_no_name_and_no_day_that_is_past(night: Night) -> None:
    conn, now = night.desk.house.conn, datetime.now(UTC)
    with pytest.raises(RetentionRefused, match="UNTIL_IS_PAST"):
        hold(conn, ENERGY, HoldReason.LEGAL_CLAIMS, "C-1", TODAY - timedelta(days=1), "an", now)
    with pytest.raises(RetentionRefused, match="NOT_A_REFERENCE"):
        hold(conn, ENERGY, HoldReason.LEGAL_CLAIMS, "claim of Jan Peeters", TODAY, "an", now)
    with pytest.raises(NotFound):
        lift(conn, "none", "an", now)
    assert store.find_holds(conn) == []


def test_a_hold_is_of_something_that_is_there(night: Night) -> None:
    """Of a name nobody has it would keep nothing, and stay in the ledger as it was typed."""
    conn, [line], now = night.desk.house.conn, night.desk.lines(), datetime.now(UTC)
    given = (HoldReason.LEGAL_CLAIMS, "C-1", TODAY, "an", now)
    mine, typed = ExchangeId(line.id), Flow("0475123456")
    for principal, flow, exchange in (
        (Principal("jan.peeters@x.be"), None, None),
        (ENERGY, typed, None),
        (ENERGY, typed, mine),
        (Principal("telecom01"), None, mine),
    ):
        with pytest.raises(NotFound) as refused:
            hold(conn, principal, *given, flow=flow, exchange_id=exchange)
        assert "peeters" not in str(refused.value) and typed not in str(refused.value)
    with pytest.raises(NotFound):
        lift(conn, "", "an", now)
    with pytest.raises(NotFound):
        find_due(night.desk.house, TODAY, now, Principal("energy1"))
    with pytest.raises(NotFound):
        confirm_return(conn, Principal("energy1"), "ACK-1", "an", now)
    assert store.find_holds(conn) == [] and entries(night, "hold.set") == []
    hold(conn, ENERGY, *given, flow=Flow(line.flow), exchange_id=mine)  # the control


def test_what_a_dead_worker_left_half_done_is_finished_and_recorded_once(night: Night) -> None:
    house, lake = night.desk.house, lake_of(night)
    after = at_night(last_day(lake) + timedelta(days=1))
    dues = [due for due in find_due(house, after.date(), after) if due.copy.kind == "lake"]
    store.note_begun(house.conn, dues)
    house.conn.execute("update copy set gone_at = now() where kind = 'lake'")
    assert exists(night.desk, lake), "it died before the object went"

    retain(house, after)
    retain(house, after)

    assert not exists(night.desk, lake)
    deleted = [copy["kind"] for body in entries(night, "copies.deleted") for copy in body["copies"]]
    assert deleted.count("lake") == 1


def test_of_an_exchange_that_a_dead_worker_half_deleted_one_entry_tells_the_rest(night: Night) -> None:
    desk = night.desk
    desk.drop(desk.campaign(20, seed=7)[0], "second.csv")
    desk.work()
    ids = sorted(line.id for line in desk.lines())
    after = at_night(max(last_day(copy) for copy in copies_of(desk)) + timedelta(days=1))
    dues = find_due(desk.house, after.date(), after)
    assert [due.copy.exchange_id for due in dues] == sorted(due.copy.exchange_id for due in dues)
    begun = [next(due for due in dues if due.copy.exchange_id == each) for each in ids]
    store.note_begun(desk.house.conn, begun)
    for due in begun:  # and it died: of each exchange one copy is gone, the others were not reached
        desk.house.conn.execute(
            "update copy set gone_at = now() where exchange_id = %s and kind = %s",
            (due.copy.exchange_id, due.copy.kind),
        )

    done = retain(desk.house, after)

    told = entries(night, "copies.deleted")
    assert sorted(body["exchange_id"] for body in told) == ids
    assert done.deleted == len(dues) == sum(len(body["copies"]) for body in told) > 2 * len(ids)


def copies_of(desk: Desk) -> list[CopyLine]:
    return [
        copy
        for line in desk.lines()
        for copy in find_copies(desk.house.conn, ExchangeId(line.id))
        if copy.delete_after is not None
    ]


def test_the_last_copies_of_a_principal_are_finished_too_whatever_was_held_since(night: Night) -> None:
    house, lake = night.desk.house, lake_of(night)
    after = at_night(last_day(lake) + timedelta(days=400))
    store.note_begun(house.conn, find_due(house, after.date(), after))
    house.conn.execute("update copy set gone_at = now()")
    hold(house.conn, ENERGY, HoldReason.LEGAL_CLAIMS, "C-9", after.date(), "an", datetime.now(UTC))
    assert exists(night.desk, lake), "it died before any object went"

    done = retain(house, after)

    assert (done.held, done.failed) == (0, 0) and done.deleted >= 2
    assert not exists(night.desk, lake)
    assert retain(house, after) == Retained()


def test_a_hold_that_is_set_while_copies_go_keeps_those_that_are_still_there(night: Night) -> None:
    desk = night.desk
    desk.drop(desk.campaign(60, seed=7)[0], "second.csv")
    desk.work()
    lakes = [copy for line in desk.lines() for copy in find_copies(desk.house.conn, ExchangeId(line.id))]
    lakes = [copy for copy in lakes if copy.kind == "lake"]
    after = at_night(max(map(last_day, lakes)) + timedelta(days=1))

    def set_hold(done: int, of: int) -> None:
        if not store.find_holds(desk.house.conn):
            hold(desk.house.conn, ENERGY, HoldReason.LEGAL_CLAIMS, "C-9", after.date(), "an", datetime.now(UTC))

    done = retain(desk.house, after, progress=set_hold)

    assert sum(exists(desk, lake) for lake in lakes) == len(lakes) - 1 == 1
    assert done.held >= 2


def test_what_is_still_to_be_delivered_waits_for_that(night: Night) -> None:
    house, lake = night.desk.house, lake_of(night)
    after, [line] = at_night(last_day(lake) + timedelta(days=1)), night.desk.lines()
    house.conn.execute("insert into outbox (exchange_id, effect, rank) values (%s, 'delivery', 9)", (line.id,))

    assert retain(house, after).waiting >= 2 and exists(night.desk, lake)
    house.conn.execute("update outbox set done_at = now() where effect = 'delivery'")
    assert retain(house, after).deleted >= 2 and not exists(night.desk, lake)


@pytest.mark.parametrize("is_hidden", [False, True])
def test_a_copy_under_a_name_that_a_listing_cannot_say_goes_or_is_not_called_gone(
    night: Night, monkeypatch: pytest.MonkeyPatch, is_hidden: bool
) -> None:
    """SeaweedFS lists a control character as another one, and says of what is not there that it was deleted.

    hidden: by a marker, as only the center could: then nothing says its name any more.
    """
    monkeypatch.setattr(opening, "TOLD_WITHIN", timedelta(0))  # it stays hidden
    desk = night.desk
    dropped = desk.drop(b"jan@example.be", "jan\x01.csv")
    if is_hidden:
        client_of(desk.settings).delete_object(Bucket=dropped.bucket, Key=dropped.key)
    desk.open_new()
    if is_hidden:
        desk.sql(f"update exchange set attempts = 21 where version_id = '{dropped.version_id}' returning 1")
    desk.work()
    line = desk.line(dropped)

    done = retain(desk.house, datetime.now(UTC) + timedelta(days=4_000))

    said = line.id in {entry["exchange_id"] for entry in entries(night, "copies.deleted")}
    folder = desk.house.objects.list_versions(dropped.bucket, f"{dropped.key.rpartition('/')[0]}/")
    is_there = dropped.version_id in {each.version_id for each in folder}
    assert (line.reason_code == "UNREADABLE_GAVE_UP", done.failed, said, is_there) == (
        (True, 1, False, True) if is_hidden else (False, 0, True, False)
    )


def test_what_an_erasure_removed_is_no_copy_of_retention(night: Night) -> None:
    house, lake = night.desk.house, lake_of(night)
    house.conn.execute("update copy set gone_at = now()")

    assert retain(house, at_night(last_day(lake) + timedelta(days=400))) == Retained()


def test_what_an_erasure_removed_after_a_worker_died_is_not_recorded_as_gone_on_its_day(night: Night) -> None:
    house, (record, phone) = night.desk.house, night.people(1)[0]
    letter = night.desk.drop(f"Geen tabel, maar een brief: bel mij op {phone}. {PROSE}".encode(), "odd.csv")
    night.desk.work()
    exchange_id, later = night.desk.line(letter).id, datetime.now(UTC) + timedelta(days=4_000)
    dues = [due for due in find_due(house, later.date(), later) if due.copy.exchange_id == exchange_id]
    store.note_begun(house.conn, dues)  # and it died before the first copy went

    assert run(house, asked(night, phone, record).case_id, datetime.now(UTC)).residual == 0

    removed = night.desk.sql("select exchange_id::text, kind from erasure_outcome where outcome = 'removed'")
    kinds = {str(row["kind"]) for row in removed if row["exchange_id"] == exchange_id}
    assert "arrived" in kinds <= {due.copy.kind for due in dues}, "control: it was begun, and the erasure took it"
    retain(house, later)
    told = {(body["exchange_id"], copy["kind"]) for body in entries(night, "copies.deleted") for copy in body["copies"]}
    assert told and told.isdisjoint((exchange_id, kind) for kind in kinds)
    assert store.find_principals(house.conn) == [], "and it is looked for no more"
    assert retain(house, later) == Retained()


def test_an_ended_agreement_that_wants_its_data_back_waits_for_the_word(
    store_settings: Settings, tmp_path: Path
) -> None:
    end = TODAY + timedelta(days=3)
    settings = with_papers(
        store_settings, tmp_path, Edit(AGREEMENT, "validTo: null\ndocument", f"validTo: {end}\ndocument"),
        Edit(AGREEMENT, "g_end: {choice: delete", "g_end: {choice: return"),
    )  # fmt: skip
    with open_night(settings, tmp_path) as night:
        house, lake = night.desk.house, lake_of(night)
        with pytest.raises(RetentionRefused, match="AGREEMENT_IN_FORCE"):
            confirm_return(house.conn, ENERGY, "ACK-1", "an", datetime.now(UTC))
        due = end + timedelta(days=30)
        assert retain(house, at_night(due - timedelta(days=1))).waiting == 0
        assert retain(house, at_night(due)).waiting >= 1
        assert exists(night.desk, lake)
        confirm_return(house.conn, ENERGY, "ACK-1", "an", at_night(due))
        retain(house, at_night(due))
        assert not exists(night.desk, lake)
        whys = {copy["why"] for body in entries(night, "copies.deleted") for copy in body["copies"]}
        assert "agreement_ended" in whys


RULE = "{code: RET-01, startEvent: received, duration: P90D, statute: null}"
ANOTHER = ("agreementId: DPA-ENERGY01", "agreementId: DPA-ENERGY02")
LAW = RULE.replace("statute: null", 'statute: "accounts: 90 days"')


@pytest.mark.parametrize(
    ("signed", "later", "end_keeps"),
    [
        (LAW, [(LAW, RULE)], True),
        (LAW, [("RET-01", "RET-09")], True),
        (LAW, [(LAW, RULE), ANOTHER], True),
        (RULE, [(RULE, LAW)], False),
    ],
    ids=["statute dropped", "code renamed", "another agreement", "statute of another time"],
)
def test_a_copy_keeps_the_rule_it_was_closed_under_whatever_a_later_agreement_calls_so(
    signed: str, later: list[tuple[str, str]], end_keeps: bool, store_settings: Settings, tmp_path: Path
) -> None:
    until = f"\nvalidTo: {TODAY + timedelta(days=1)}\n"
    settings = with_papers(
        store_settings, tmp_path, Edit(AGREEMENT, RULE, signed), Edit(AGREEMENT, "\nvalidTo: null\n", until)
    )
    end = TODAY + timedelta(days=3)
    with open_night(settings, tmp_path, contacts=3) as night:
        house, lake = night.desk.house, lake_of(night)
        sign_later(settings, end, later)
        activate_all(house.conn, settings.principals_dir, datetime.now(UTC))

        retain(house, at_night(end + timedelta(days=30)))
        assert exists(night.desk, lake) == end_keeps
        retain(house, at_night(TODAY + timedelta(days=90)))
        assert exists(night.desk, lake) == end_keeps
        retain(house, at_night(TODAY + timedelta(days=91)))
        assert not exists(night.desk, lake), "and not a day longer"


def sign_later(settings: Settings, end: date, changes: list[tuple[str, str]]) -> None:
    """The next version of the agreement of energy01, or one more agreement, holds from today and ends last."""
    paper = settings.principals_dir / ENERGY / AGREEMENT
    text = paper.read_text(encoding="utf-8")
    assert all(old in text for old, _ in changes)
    first = re.sub(r"\nvalidFrom: .*\nvalidTo: .*\n", f"\nvalidFrom: {TODAY}\nvalidTo: {end}\n", text, count=1)
    assert first != text
    before = "null" if ANOTHER in changes else "3.0.0"
    first = first.replace("version: 3.0.0", "version: 3.1.0").replace("supersedes: 2.4.0", f"supersedes: {before}")
    for old, new in changes:
        first = first.replace(old, new)
    paper.with_name("agreement-3.1.0.yaml").write_text(first, encoding="utf-8")


@pytest.mark.usefixtures("terminal")
def test_the_commands_say_what_is_due_and_hold_it(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = lake_of(night)
    after = last_day(lake) + timedelta(days=1)

    due = sluice("retention", "due", "--on", str(after)).document["copies"]
    assert {"lake", "index"} <= {copy["kind"] for copy in due}
    held = sluice(
        "retention", "hold", ENERGY, "--until", str(after), "--reason", "legal-claims", "--reference", "C-1",
    ).document["holds"]  # fmt: skip
    again = sluice("retention", "due", "--on", str(after)).document["copies"]
    assert {copy["held_by"] for copy in again} == {held[0]["hold_id"]}
    assert sluice("retention", "lift", held[0]["hold_id"]).document["holds"][0]["lifted_by"]
    assert sluice("retention", "run").document == {
        "deleted": 0,
        "held": 0,
        "waiting": 0,
        "failed": 0,
        "corrections": 0,
        "consents": 0,
        "undone": 0,
        "acks": 0,
    }
    monkeypatch.setattr("sluice.retention.run.retain", lambda *_: Retained(failed=2))
    told = sluice("retention", "run")
    assert (told.exit, told.document["failed"], told.error) == (3, 2, None), "one document and no other"
    assert sluice("retention", "returned", ENERGY, "--reference", "A-1").exit == 2
    wrong = sluice("retention", "hold", ENERGY, "--until", str(after), "--reason", "because", "--reference", "C-1")
    assert wrong.exit == 2


@dataclass(frozen=True)
class Planted:
    """One object of the long test; ``goes``: on which day of it, None: never in it."""

    key: str
    goes: date | None


@pytest.mark.evidence
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_copy_goes_on_its_day_and_none_that_is_held(
    store_settings: Settings, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    draw, end = random.Random(20_261_126), TODAY + timedelta(days=5)
    settings = with_papers(store_settings, tmp_path)
    change_end(settings, end)
    with open_house(settings) as house:
        activate_all(house.conn, settings.principals_dir, datetime.now(UTC))
        planted = list(plant(Desk(house, tmp_path), draw, end))
        wrong_days = held_gone = overdue = 0
        there = there_now(house)
        for day in (TODAY + timedelta(days=n) for n in range(DAYS)):
            should = {each.key for each in planted if each.goes is None or each.goes > day}
            overdue += len(there - should)
            retain(house, at_night(day))
            there = there_now(house)
            wrong_days += len(there ^ should)
            held_gone += len({each.key for each in planted if each.goes is None} - there)
    assert (wrong_days, held_gone) == (0, 0)
    gone = sum(each.goes is not None for each in planted)
    assert overdue == gone, "control: every one of them was there until its day"
    assert 0.5 * COPIES < gone < COPIES
    record_property(
        f"retention of {COPIES:,} copies over {DAYS} days: wrong days, held ones deleted",
        f"{wrong_days}, {held_gone} ({gone:,} went, {COPIES - gone:,} stayed)",
    )


def there_now(house: House) -> set[str]:
    return {item.key for item in house.objects.list_versions(house.settings.bucket_lake, "_retention/")}


def change_end(settings: Settings, end: date) -> None:
    """The agreement of telecom01 ends."""
    [path] = (settings.principals_dir / TELECOM).glob("agreement-*.yaml")
    text = path.read_text(encoding="utf-8")
    assert "\nvalidTo: null\n" in text
    path.write_text(text.replace("\nvalidTo: null\n", f"\nvalidTo: {end}\n", 1), encoding="utf-8")


def plant(desk: Desk, draw: random.Random, end: date) -> Iterator[Planted]:
    """Copies with mixed last days, some under a hold of their exchange, some of an agreement that ends."""
    house, bucket = desk.house, desk.settings.bucket_lake
    for number in range(COPIES // 2):
        principal = draw.choice([ENERGY, TELECOM])
        [row] = house.conn.execute(
            """insert into exchange (exchange_id, principal, direction, flow, bucket, key, version_id, size_bytes,
                   chain, decision, closed_at, said_id)
               values (%s, %s, 'inbound', 'f', %s, %s, 'v', 0, %s, 'undecided', now(), sluice.said_id_of('{}'))
               returning exchange_id::text""",
            (uuid4(), principal, bucket, f"none/{number}", f"principal.{principal}"),
        ).fetchall()
        exchange_id = ExchangeId(row["exchange_id"])
        hold_until = TODAY + timedelta(days=draw.randrange(60)) if draw.random() < 0.2 else None
        if hold_until:
            hold(
                house.conn, principal, HoldReason.LEGALLY_REQUIRED, f"F-{number}", hold_until, "an", datetime.now(UTC),
                exchange_id=exchange_id,
            )  # fmt: skip
        copies = []
        for kind in ("lake", "index"):
            stored = house.objects.put(bucket, f"_retention/{number}/{kind}", b"x", "text/plain")
            rule_day = TODAY + timedelta(days=draw.randrange(60)) if draw.random() < 0.8 else None
            copies.append(
                CopyLine(
                    kind=kind, bucket=bucket, key=stored.key, version_id=stored.version_id, sha256=stored.sha256 or "",
                    size_bytes=1, rows=None, retention_rule="RET-01", delete_after=str(rule_day) if rule_day else None,
                )
            )  # fmt: skip
            yield Planted(stored.key, goes_on(principal, rule_day, hold_until, end))
        insert_copies(house.conn, exchange_id, copies)


def goes_on(principal: Principal, rule_day: date | None, hold_until: date | None, end: date) -> date | None:
    """The rule once more: the day after the last one, of rule or agreement (30 days after its end), or of the hold."""
    days = [rule_day + timedelta(days=1)] if rule_day else []
    if principal == TELECOM:
        days.append(end + timedelta(days=30))
    goes = min(days) if days else None
    if goes and hold_until:
        goes = max(goes, hold_until + timedelta(days=1))
    return goes if goes and goes < TODAY + timedelta(days=DAYS) else None


def entries(night: Night, kind: str) -> list[dict[str, object]]:
    rows = night.desk.sql(
        f"select convert_from(body, 'UTF8') as body from ledger.entry where kind = '{kind}' order by seq"
    )
    return [json.loads(str(row["body"])) for row in rows]
