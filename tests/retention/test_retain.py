"""Every copy goes on its day by the rule under which it was closed, none that is held, and the ledger says so."""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from retention.keeping import ENERGY, TELECOM, at_night, entries, exists, lake_of, last_day
from retention.keeping import night as night  # the fixture
from returns.commands import at_terminal, sluice
from sluice.agreement.in_force.activate import activate_all
from sluice.exchange import open as opening
from sluice.exchange.catalogue import insert_copies
from sluice.exchange.house import House, open_house
from sluice.ledger.record import CopyLine
from sluice.retention.holds import confirm_return, hold
from sluice.retention.model import HoldReason, RetentionRefused
from sluice.retention.run import Retained, retain
from sluice.settings import Settings
from sluice.terms import ExchangeId, Principal
from sluice.times import brussels_today
from support.desk import Desk
from support.effort import effort
from support.night import AGREEMENT, Edit, Night, open_night, with_papers
from support.stores import client_of

COPIES = effort(160, 10_000)
DAYS, STEP = 45, effort(4, 1)


@pytest.fixture
def terminal(night: Night, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with at_terminal(night.desk, monkeypatch):
        yield


def test_a_copy_goes_on_the_day_after_its_last_one_once_it_was_delivered_and_the_ledger_says_so(night: Night) -> None:
    house, lake, [line] = night.desk.house, lake_of(night), night.desk.lines()
    after = at_night(last_day(lake) + timedelta(days=1))

    retain(house, at_night(last_day(lake)))
    assert exists(night.desk, lake)
    house.conn.execute("insert into outbox (exchange_id, effect, rank) values (%s, 'delivery', 9)", (line.id,))
    assert retain(house, after).waiting >= 2 and exists(night.desk, lake), "it is still to be delivered"
    house.conn.execute("update outbox set done_at = now() where effect = 'delivery'")

    assert retain(house, after).deleted >= 2
    assert not exists(night.desk, lake)
    assert night.desk.sql("select count(*) as n from accepted_data")[0]["n"] == 0
    [told] = [body for body in entries(night, "copies.deleted") if any(c["kind"] == "lake" for c in body["copies"])]
    [gone] = [copy for copy in told["copies"] if copy["kind"] == "lake"]
    assert (gone["sha256"], gone["last_day"], gone["why"]) == (lake.sha256, lake.delete_after, "rule")
    assert retain(house, at_night(last_day(lake) + timedelta(days=2))).deleted == 0


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


def test_an_ended_agreement_that_wants_its_data_back_waits_for_the_word(
    store_settings: Settings, tmp_path: Path
) -> None:
    end = brussels_today() + timedelta(days=3)
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
        pytest.param(LAW, [(LAW, RULE)], True, id="statute dropped"),
        pytest.param(LAW, [("RET-01", "RET-09")], True, id="code renamed", marks=pytest.mark.long),
        pytest.param(LAW, [(LAW, RULE), ANOTHER], True, id="another agreement", marks=pytest.mark.long),
        pytest.param(RULE, [(RULE, LAW)], False, id="statute of another time"),
    ],
)
def test_a_copy_keeps_the_rule_it_was_closed_under_whatever_a_later_agreement_calls_so(
    signed: str, later: list[tuple[str, str]], end_keeps: bool, store_settings: Settings, tmp_path: Path
) -> None:
    until = f"\nvalidTo: {brussels_today() + timedelta(days=1)}\n"
    settings = with_papers(
        store_settings, tmp_path, Edit(AGREEMENT, RULE, signed), Edit(AGREEMENT, "\nvalidTo: null\n", until)
    )
    end = brussels_today() + timedelta(days=3)
    with open_night(settings, tmp_path, contacts=3) as night:
        house, lake = night.desk.house, lake_of(night)
        sign_later(settings, end, later)
        activate_all(house.conn, settings.principals_dir, datetime.now(UTC))

        retain(house, at_night(end + timedelta(days=30)))
        assert exists(night.desk, lake) == end_keeps
        retain(house, at_night(brussels_today() + timedelta(days=90)))
        assert exists(night.desk, lake) == end_keeps
        retain(house, at_night(brussels_today() + timedelta(days=91)))
        assert not exists(night.desk, lake), "and not a day longer"


def sign_later(settings: Settings, end: date, changes: list[tuple[str, str]]) -> None:
    """The next version of the agreement of energy01, or one more agreement, holds from today and ends last."""
    paper = settings.principals_dir / ENERGY / AGREEMENT
    text = paper.read_text(encoding="utf-8")
    assert all(old in text for old, _ in changes)
    first = re.sub(
        r"\nvalidFrom: .*\nvalidTo: .*\n", f"\nvalidFrom: {brussels_today()}\nvalidTo: {end}\n", text, count=1
    )
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
    draw, end = random.Random(20_261_126), brussels_today() + timedelta(days=5)
    settings = with_papers(store_settings, tmp_path)
    change_end(settings, end)
    with open_house(settings) as house:
        activate_all(house.conn, settings.principals_dir, datetime.now(UTC))
        planted = list(plant(Desk(house, tmp_path), draw, end))
        wrong_days = held_gone = overdue = 0
        there = there_now(house)
        for day in (brussels_today() + timedelta(days=n) for n in range(0, DAYS, STEP)):
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
    """Let the agreement of telecom01 end on a day."""
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
        hold_until = brussels_today() + timedelta(days=draw.randrange(60)) if draw.random() < 0.2 else None
        if hold_until:
            hold(
                house.conn, principal, HoldReason.LEGALLY_REQUIRED, f"F-{number}", hold_until, "an", datetime.now(UTC),
                exchange_id=exchange_id,
            )  # fmt: skip
        copies = []
        for kind in ("lake", "index"):
            stored = house.objects.put(bucket, f"_retention/{number}/{kind}", b"x", "text/plain")
            rule_day = brussels_today() + timedelta(days=draw.randrange(60)) if draw.random() < 0.8 else None
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
    return goes if goes and goes < brussels_today() + timedelta(days=DAYS) else None
