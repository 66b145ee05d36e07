"""What goes back because an agreement ended is a duty of the law (Art. 28(3)(g)), and no finding in a register."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from registers.test_rules import BY_HASH, CENTER, CONTRACTS, KNOWN, P_RENEW, P_RESULT, YEARS, codes, seen_of
from retention.keeping import at_night
from retention.test_give_back import BEFORE, END, ending, give
from sluice.agreement.timeline import Days
from sluice.documents.words import LANGUAGES, words
from sluice.ledger.record import CONTRACT_END
from sluice.registers.columns import REGISTER
from sluice.registers.make import make_register
from sluice.registers.model import Article, FindingCode, Papers, Register, Sighting
from sluice.registers.rules import rows_of
from sluice.registers.tables import tables_of
from sluice.returns.give_back_record import purpose
from sluice.settings import Settings
from sluice.terms import Direction, RoleProfile
from support.night import AT_ONCE, Call, Night

LAST = date(2026, 6, 30)
ENDED = Papers((replace(KNOWN, days=Days(date(2025, 1, 1), LAST)),), CONTRACTS)
LATER = LAST + timedelta(days=5)
RETURN = {"direction": Direction.OUTBOUND_RETURN, "day": LATER}


def given_back(**more: object) -> Sighting:
    return seen_of([purpose()], **{**RETURN, **more})  # type: ignore[arg-type]


def test_what_goes_back_after_the_end_is_judged_by_the_paper_of_the_last_day() -> None:
    ours = (("disposition", RoleProfile.SEED_OWNER),)
    last = [seen_of([P_RENEW], **RETURN), seen_of([P_RESULT], ours, **RETURN)]  # type: ignore[arg-type]
    marked = [replace(each, after_end=True) for each in last]

    assert codes([*marked, given_back(after_end=True)], ENDED) == set()
    assert {code for code, _ in codes(last, ENDED)} == {FindingCode.PURPOSE_NOT_DECLARED}, "control: any other return"
    assert (FindingCode.RECIPIENT_NOT_DECLARED, "broker") in codes(
        [replace(marked[0], recipients=("broker",))], ENDED
    ), "that paper is looked at"
    assert (FindingCode.PURPOSE_NOT_DECLARED, "P-RENEW") in codes([seen_of([P_RENEW], day=LATER)], ENDED), "an arrival"
    arrived = given_back(direction=Direction.INBOUND)
    assert (FindingCode.PURPOSE_NOT_DECLARED, CONTRACT_END) in codes([arrived], ENDED), "nobody sends that"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_row_says_that_its_data_was_given_back_as_the_law_asks(language: str) -> None:
    rows = rows_of(Article.PROCESSOR, ENDED, [given_back(after_end=True)], BY_HASH.get, LATER, YEARS)
    [row] = [each for each in rows if each.key.purpose == CONTRACT_END]
    found = Register(Article.PROCESSOR, LATER, datetime(2026, 7, 6, tzinfo=UTC), CENTER, (row,), (), 0)
    [said] = next(table for table in tables_of(found, language) if table.name == REGISTER).rows

    assert row.is_of_the_law and words(language).say("register.undeclared.end") in " ".join(said)


@pytest.mark.stores
def test_a_register_after_everything_went_back_has_no_finding_of_it(store_settings: Settings, tmp_path: Path) -> None:
    """Contacts are given back, and results that no return brought go as the last return."""
    at = END + timedelta(days=2)
    with ending(store_settings, tmp_path, AT_ONCE, known_since=BEFORE) as night:
        night.called(Call("c1", *night.people(1)[0]))
        went = {each.flow: each.exchange_id for each in give(night).flows if each.exchange_id}
        assert len(went) == 2, "control: contacts and results"

        assert found(night, at) == set()
        rows = [row for each in Article for row in register(night, each, at).rows if row.seen]
        marked = {(each.flow, each.direction) for row in rows for each in row.seen if each.after_end}
        assert marked == {(flow, Direction.OUTBOUND_RETURN) for flow in went}

        last = went["renewal_results"]
        night.desk.house.conn.execute(
            "update exchange set version_id = replace(version_id, '-ended', '') where exchange_id = %s", (last,)
        )
        assert found(night, at) == {FindingCode.PURPOSE_NOT_DECLARED}, "control: a return that is not a last one"


def register(night: Night, article: Article, at: date) -> Register:
    house = night.desk.house
    return make_register(house.conn, house.settings, article, at, at_night(at))


def found(night: Night, at: date) -> set[FindingCode]:
    """What exchanges showed that papers do not say; roles that can be contested are said of every agreement."""
    every = [finding for each in Article for finding in register(night, each, at).findings if finding.exchanges]
    return {each.code for each in every} - {FindingCode.ROLE_CONTESTABLE}
