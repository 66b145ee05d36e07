"""A flow is stopped as its contract is wrong: what waited, and what was judged before, gets the one that is right."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from exchange.conftest import lent_desk
from sluice.agreement.in_force.activate import activate_all
from sluice.db import connect_to
from sluice.errors import GateFailed
from sluice.exchange.close import close
from sluice.exchange.given_back import paper_under
from sluice.exchange.judge import judged_exchange
from sluice.exchange.keep import keep
from sluice.exchange.persons.suppressed import keep_out
from sluice.exchange.stop_store import ASKED_AT
from sluice.exchange.stops import resume_flow, stop_flow
from sluice.exchange.store import check_still_ours, claim_next, get_opened
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.record import ExchangeRecord
from sluice.rights.copies.copy_store import find_copies
from sluice.rights.person.identifiers import parse_identifier, refs_of
from sluice.subject.suppression import Suppression
from sluice.terms import Direction, ExchangeId, Flow, Principal
from sluice.times import brussels_today
from support.copies import Copies
from support.desk import ENERGY, Desk
from support.night import AGREEMENT, Edit, change
from support.stores import Database

pytestmark = pytest.mark.stores

CONTRACT = "renewal_campaign.inbound.odcs.yaml"
RIGHT, WRONG = '["ELEC", "GAS", "DUAL"]', '["ELEC", "GAS"]'
ENERGY01, CAMPAIGN = Principal(ENERGY[0]), Flow(ENERGY[1])


EDITS = Edit(CONTRACT, RIGHT, WRONG), Edit(CONTRACT, "maxRefusedShare, value: 0.1", "maxRefusedShare, value: 0.9")


@pytest.fixture
def desk(copies: Copies, tmp_path: Path) -> Iterator[Desk]:
    """A contract that refuses a third of what it should take, without refusing the file for it."""
    with lent_desk(copies, tmp_path, *EDITS) as opened:
        yield opened


def stop(desk: Desk) -> None:
    stop_flow(desk.house.conn, ENERGY01, CAMPAIGN, "CONTRACT_WRONG", "an.peeters", datetime.now(UTC))


def resume(desk: Desk) -> None:
    resume_flow(desk.house.conn, ENERGY01, CAMPAIGN, "an.peeters", datetime.now(UTC))


def activate(desk: Desk) -> None:
    for each in activate_all(desk.house.conn, desk.settings.principals_dir, datetime.now(UTC)):
        assert not each.is_refused


def mend(desk: Desk) -> None:
    """The contract takes all three products from now on."""
    path = desk.settings.principals_dir / ENERGY01 / CONTRACT
    change(path, WRONG, RIGHT)
    change(path, "version: 1.0.0", "version: 1.0.1")
    activate(desk)


def end_yesterday(desk: Desk) -> None:
    """The parties agree today that their agreement ended yesterday."""
    folder = desk.settings.principals_dir / ENERGY01
    text = (folder / AGREEMENT).read_text(encoding="utf-8")
    for old, new in (
        ("version: 3.0.0", "version: 3.0.1"),
        ("supersedes: 2.4.0", "supersedes: 3.0.0"),
        ("validTo: null\ndocumentSha256: 7", f"validTo: {brussels_today() - timedelta(days=1)}\ndocumentSha256: 8"),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "agreement-3.0.1.yaml").write_text(text, encoding="utf-8")
    for path in folder.glob("*.odcs.yaml"):
        path.write_text(
            path.read_text(encoding="utf-8").replace(
                "agreementVersion, value: 3.0.0", "agreementVersion, value: 3.0.1"
            ),
            encoding="utf-8",
        )
    activate(desk)


def waiting(desk: Desk, name: str = "leads.csv") -> StoredObject:
    dropped = desk.drop(desk.campaign(60)[0], name)
    desk.open_new()
    desk.work()
    return dropped


def record(desk: Desk, dropped: StoredObject) -> ExchangeRecord:
    found = desk.shown(dropped).record
    assert found is not None
    return found


def judged(desk: Desk, dropped: StoredObject) -> tuple[str | None, str | None]:
    """What became of a file, and by which version of the contract."""
    found = record(desk, dropped)
    return found.reason_code or found.decision, found.how.contract_version


def test_what_waited_is_judged_by_the_contract_that_was_mended_meanwhile(desk: Desk) -> None:
    before = desk.drop(desk.campaign(60)[0])
    desk.open_new()
    stop(desk)
    after = desk.drop(desk.campaign(60, 2)[0], "after.csv")
    desk.work()
    assert {desk.line(each).decision for each in (before, after)} == {"open"}

    mend(desk)
    resume(desk)
    desk.work()

    assert {judged(desk, each) for each in (before, after)} == {("accepted", "1.0.1")}
    exchange_id, by = desk.line(before).id, record(desk, before).how.contract_sha256

    stop(desk)
    change(desk.settings.principals_dir / ENERGY01 / CONTRACT, "version: 1.0.1", "version: 1.0.2")
    activate(desk)
    resume(desk)

    contract = paper_under(desk.house.conn, get_opened(desk.house.conn, exchange_id)).contract
    assert contract is not None and contract.sha256 == by, "whoever reads it later asks the papers of then"
    found = find_copies(desk.house.conn, ENERGY01, among=[ExchangeId(exchange_id)])
    assert {copy.contract.sha256 for copy in found if copy.contract} == {by}


def test_a_file_of_no_stop_is_judged_by_the_contract_of_its_opening(desk: Desk) -> None:
    """The control: nobody stopped the flow when its contract was mended, or somebody did before the file came."""
    stop(desk)
    resume(desk)
    dropped = desk.drop(desk.campaign(60)[0])
    desk.open_new()
    mend(desk)
    desk.work()

    assert record(desk, dropped).how.contract_version == "1.0.0"


def test_an_agreement_that_ended_meanwhile_closes_the_gate(desk: Desk) -> None:
    stop(desk)
    dropped = waiting(desk)
    end_yesterday(desk)
    resume(desk)
    desk.work()

    assert desk.line(dropped).reason_code == "FORBIDDEN_AGREEMENT_EXPIRED"


def test_what_is_about_to_close_when_its_flow_is_stopped_and_resumed_is_judged_again(desk: Desk) -> None:
    """Readers of later days ask the papers as of the resume before it was closed."""
    dropped = desk.drop(desk.campaign(60)[0])
    desk.open_new()
    with claim_next(desk.house.conn, Direction.INBOUND, ENERGY01, CAMPAIGN) as opened:
        assert opened is not None
        with judged_exchange(desk.house, opened) as done:
            stop(desk)
            check_still_ours(desk.house.conn, opened)  # the control: it is finished while its flow stands still
            mend(desk)
            resume(desk)
            with pytest.raises(GateFailed):
                check_still_ours(desk.house.conn, opened)
            with pytest.raises(GateFailed):
                close(desk.house, keep(desk.house, done), {})
    assert desk.line(dropped).decision == "open"

    desk.work()

    assert judged(desk, dropped) == ("accepted", "1.0.1")


def test_what_is_about_to_close_when_its_flow_is_stopped_is_closed(desk: Desk) -> None:
    """The control: a file that was taken up is finished while its flow stands still."""
    dropped = desk.drop(desk.campaign(60)[0])
    desk.open_new()
    with claim_next(desk.house.conn, Direction.INBOUND, ENERGY01, CAMPAIGN) as opened:
        assert opened is not None
        with judged_exchange(desk.house, opened) as done:
            stop(desk)
            close(desk.house, keep(desk.house, done), {})
    resume(desk)

    found = record(desk, dropped)
    assert found.decision == "partly_accepted" and found.how.contract_version == "1.0.0"
    [row] = desk.house.conn.execute("select resumed_at from flow_stop").fetchall()
    assert row["resumed_at"] > datetime.fromisoformat(found.closed_at), "nobody takes it for judged after the resume"


def test_what_the_wrong_contract_refused_may_come_again_and_once(desk: Desk) -> None:
    dropped = waiting(desk)
    assert judged(desk, dropped) == ("VALUE_NOT_IN_SET", "1.0.0")
    assert desk.line(dropped).decision == "partly_accepted"
    twice = waiting(desk, "twice.csv")
    assert judged(desk, twice) == ("DUPLICATE_CONTENT", "1.0.0"), "the control: by the same contract"

    mend(desk)

    again, third = waiting(desk, "again.csv"), waiting(desk, "third.csv")
    assert judged(desk, again) == ("accepted", "1.0.1")
    assert judged(desk, third) == ("DUPLICATE_CONTENT", "1.0.1")


def test_what_was_accepted_whole_is_a_duplicate_under_any_contract(desk: Desk) -> None:
    mend(desk)
    whole = waiting(desk)
    change(desk.settings.principals_dir / ENERGY01 / CONTRACT, "version: 1.0.1", "version: 1.0.2")
    activate(desk)

    again = waiting(desk, "again.csv")

    assert judged(desk, whole) == ("accepted", "1.0.1")
    assert judged(desk, again) == ("DUPLICATE_CONTENT", "1.0.2")


def test_what_was_only_held_is_a_duplicate_under_any_contract(desk: Desk) -> None:
    """The rows that are held come with the next file; no contract refused them."""
    mend(desk)
    refs = refs_of_one(desk)
    keep_out(desk.house, ENERGY01, refs, Suppression.RESTRICTED, cause="test", case_id=None, now=datetime.now(UTC))
    held = waiting(desk)
    what = record(desk, held).what
    assert (desk.line(held).decision, what.rows_refused, what.rows_held) == ("partly_accepted", 0, 1), "the control"
    change(desk.settings.principals_dir / ENERGY01 / CONTRACT, "version: 1.0.1", "version: 1.0.2")
    activate(desk)

    assert judged(desk, waiting(desk, "again.csv")) == ("DUPLICATE_CONTENT", "1.0.2")


def refs_of_one(desk: Desk) -> frozenset[str]:
    """The references of one person of the campaign."""
    number = pl.read_csv(desk.campaign(60)[0], separator=";", infer_schema=False)["customer_number"][0]
    person = [parse_identifier(f"customer:{number}", 1)]
    return frozenset(refs_of(person, desk.house.subject_key(ENERGY01), ENERGY01).values())


INDEX = "flow_stop_resumed_at"


def test_the_stops_of_a_flow_that_are_over_are_found_by_their_index(database: Database) -> None:
    """It is asked of every copy of a principal."""
    asked = f"explain select {ASKED_AT} from exchange"
    with connect_to(database.app_url) as conn, conn.transaction(force_rollback=True):
        conn.execute("set local enable_seqscan = off")
        found = "\n".join(line["QUERY PLAN"] for line in conn.execute(asked.encode()).fetchall())
        other = conn.execute(b"explain select max(resumed_at) from flow_stop where reason = 'x'").fetchall()

    assert INDEX in found and "Seq Scan on flow_stop" not in found
    assert INDEX not in str(other), "the control: a question about no flow does not use it"
