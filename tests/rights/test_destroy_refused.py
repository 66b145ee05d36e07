"""What keeps the keys of a principal from being destroyed, and who may not ask or confirm it."""

from collections.abc import Callable

import psycopg
import pytest

from rights.destroying import ENERGY, GAS, because, emptied, end_agreement, now
from rights.destroying import admin_url as admin_url  # the fixtures
from rights.destroying import erased as erased
from rights.destroying import town as town
from rights.town import Town
from sluice.errors import NotFound
from sluice.keys import SUBJECT
from sluice.ledger.verify import verify as verify_ledger
from sluice.retention.holds import hold, lift
from sluice.retention.model import HoldReason
from sluice.rights.case.model import Action, Case, Right
from sluice.rights.destroy import ASKED_COUNTS_FOR, KeyKept, ask, confirm_destruction, list_lines
from sluice.rights.notices.tell import tell
from sluice.terms import Principal


def ask_to_erase(town: Town) -> None:
    """A person asks both principals, so that they are kept out until the case is over."""
    town.ask(town.people[2])


def hold_for_a_claim(town: Town) -> None:
    until = now().date() + ASKED_COUNTS_FOR * 2
    hold(town.house.conn, ENERGY, HoldReason.LEGAL_CLAIMS, "C-1", until, "an", now())


def lift_the_hold(town: Town) -> None:
    hold_for_a_claim(town)
    [held] = town.desk.sql("select hold_id from legal_hold")
    lift(town.house.conn, str(held["hold_id"]), "an", now())


def open_a_file(town: Town) -> None:
    """A file has arrived and is opened, but no slot has judged it yet."""
    town.desk.drop(b"x\n", "later.csv", (ENERGY, "renewal_campaign"))
    assert town.desk.open_new() == 1


def owe_a_notice(town: Town) -> None:
    """A person who is in a return objects; whoever got the return is told, and has not answered yet."""
    town.give_back(ENERGY, [town.people[1]])
    town.decided(town.people[1], Right.OBJECTION, Action.STOP)
    assert tell(town.house, now()).sent >= 1


def keep_a_copy_of_a_later_kind(town: Town) -> None:
    """Retention has removed everything, but for a copy of a kind that no code of today makes: so by SQL."""
    emptied(town)
    town.house.conn.execute(
        """insert into copy (exchange_id, kind, bucket, key, version_id, sha256, size_bytes)
           select exchange_id, 'of_a_later_kind', c.bucket, c.key, c.version_id, c.sha256, c.size_bytes from copy c
           join exchange e using (exchange_id) where kind = 'arrived' and principal = 'energy01' limit 1"""
    )


def nothing_more(_: Town) -> None:
    """Leave the town as it is."""


@pytest.mark.parametrize(
    ("happens", "obstacles"),
    [
        (nothing_more, ["COPIES_LEFT"]),
        (ask_to_erase, ["CASE_OPEN", "HOLD_STANDS", "COPIES_LEFT"]),
        (hold_for_a_claim, ["HOLD_STANDS", "COPIES_LEFT"]),
        (lift_the_hold, ["COPIES_LEFT"]),
        (owe_a_notice, ["CASE_OPEN", "HOLD_STANDS", "RECIPIENT_NOT_DONE", "COPIES_LEFT"]),
        (open_a_file, ["EXCHANGE_OPEN", "COPIES_LEFT"]),
        (keep_a_copy_of_a_later_kind, ["COPIES_LEFT"]),
        (emptied, []),
    ],
)
def test_each_thing_that_is_not_over_keeps_the_keys(
    town: Town, erased: Case, admin_url: str, happens: Callable[[Town], None], obstacles: list[str]
) -> None:
    assert because(town) == "AGREEMENT_IN_FORCE"
    happens(town)
    end_agreement(admin_url, ENERGY)

    [key] = [line for line in list_lines(town.house, now()) if (line.principal, line.purpose) == (ENERGY, SUBJECT)]
    assert list(key.obstacles) == obstacles
    if obstacles:
        assert because(town) == obstacles[0]
    else:
        assert ask(town.house, ENERGY, "an", now()).asked_by == "an", "control: with nothing left it may be asked"


def test_only_a_second_person_confirms_and_only_while_the_request_counts(
    town: Town, erased: Case, admin_url: str
) -> None:
    conn = town.house.conn
    end_agreement(admin_url, ENERGY)
    emptied(town)
    ask(town.house, ENERGY, "an", now())

    for by, reason in ((" AN", "ASKED_IT"), ("bert", "NOBODY_ASKED")):
        at = now() if by == " AN" else now() + ASKED_COUNTS_FOR * 1.1
        with pytest.raises(KeyKept, match=reason):
            confirm_destruction(town.house, ENERGY, by, at)
    with pytest.raises(KeyKept, match="NOBODY_ASKED"):
        confirm_destruction(town.house, GAS, "bert", now())
    with pytest.raises(NotFound) as unknown:
        confirm_destruction(town.house, Principal("0475987654"), "bert", now())
    assert "0475" not in str(unknown.value), "a number in the wrong place is not repeated"
    assert town.house.subject_key(ENERGY), "nothing went"
    refused = town.desk.sql(
        "select chain, convert_from(body, 'UTF8')::json as body from ledger.entry "
        "where kind = 'key.destruction_refused'"
    )
    said = [(row["chain"], row["body"]["asked_by"], row["body"]["reason"]) for row in refused]
    assert said == [("principal.energy01", "AN", "ASKED_IT")], "of who wanted to be both, and of nobody else"
    assert verify_ledger(conn, public_pem=town.house.keyring.public_pem).valid
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute("""update key_destruction set confirmed_by = 'An', confirmed_at = now(), fingerprints = '{}'""")
