"""One person, several rows: who stays out by one number stays out by every other, and no list outlives its rows."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from dial.lists import CAMPAIGN, CONTRACT, ENERGY01, ask, called, now, today
from rights.town import DESK
from sluice.agreement.in_force.activate import activate_all
from sluice.dial.read import view_rows
from sluice.dial.recall import recall_lists
from sluice.exchange.catalogue import get_copy
from sluice.exchange.persons.suppressed import keep_out
from sluice.rights.case.model import Right
from sluice.rights.opening import NewRequest, open_case
from sluice.settings import Settings
from sluice.subject.columns import normalise_column
from sluice.subject.refs import ref_column
from sluice.subject.suppression import Suppression
from sluice.terms import SubjectKind
from support.desk import Desk, open_desk
from support.night import AGREEMENT, Edit, change, with_papers

DAYS = "select delete_after - (closed_at at time zone 'Europe/Brussels')::date as days from accepted_data"


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(store_settings, tmp_path) as opened:
        opened.may_call()
        yield opened


@pytest.fixture
def people(desk: Desk) -> pl.DataFrame:
    """Six customers, all of whom said yes, by their first numbers; a later file has another number of each."""
    path, _ = desk.campaign(6)
    first = pl.read_csv(path, separator=";", infer_schema=False).with_columns(
        opt_in_phone=pl.lit("Y"), phone=pl.format("+3247012340{}", pl.int_range(6))
    )
    second = first.with_columns(phone=pl.format("+3247012341{}", pl.int_range(6)))
    for rows, name in ((first, "first.csv"), (second, "second.csv")):
        desk.drop(rows.write_csv(separator=";").encode(), name)
        desk.work()
    return first


def object_by(desk: Desk, phone: str) -> None:
    """Somebody says by telephone that they want no more advertising, and gives that number and nothing else."""
    open_case(
        desk.house,
        NewRequest(Right.DIRECT_MARKETING, [(SubjectKind.PHONE, phone)], ENERGY01, now(), "phone", "nl", DESK),
        now(),
    )


def keep_out_by(desk: Desk, phone: str, reason: Suppression) -> None:
    ref = ref_column(
        normalise_column(pl.Series([phone]), SubjectKind.PHONE).values, SubjectKind.PHONE,
        desk.house.subject_key(ENERGY01),
    )[0]  # fmt: skip
    keep_out(desk.house, ENERGY01, frozenset({ref}), reason, cause=phone, case_id=None, now=now())


def test_an_objection_by_one_number_keeps_the_customer_out_under_their_other_one_and_takes_lists_back(
    desk: Desk, people: pl.DataFrame
) -> None:
    """GDPR Art. 21(3). Only an older row has the number."""
    done = ask(desk)
    assert recall_lists(desk.house, now()) == (0, 0)

    object_by(desk, people["phone"][0])

    assert recall_lists(desk.house, now()) == (1, 0)
    assert desk.house.objects.head(done.bucket, done.key) is None
    assert ask(desk).left_out == {"objected": 2, "OLDER_ROW": 5}
    assert called(desk) == set(people["customer_number"][1:])
    assert recall_lists(desk.house, now()) == (0, 0), "the next one is without them"


def test_an_erasure_alone_goes_no_further_than_the_numbers_it_names(desk: Desk, people: pl.DataFrame) -> None:
    reasons = [each for each in Suppression if each is not Suppression.CONSENT_WITHDRAWN]
    numbers = people["customer_number"].to_list()
    for phone, reason in zip(people["phone"], reasons, strict=False):
        keep_out_by(desk, phone, reason)

    seen = view_rows(desk.house, ENERGY01, CAMPAIGN)["customer_number"].to_list()

    rows = {number: int(reason is Suppression.ERASED) for number, reason in zip(numbers, reasons, strict=False)}
    assert {number: seen.count(number) for number in rows} == rows
    left = numbers[len(reasons) :]
    assert len(seen) == 1 + 2 * len(left)
    assert called(desk) == {*left, *(number for number, count in rows.items() if count)}
    assert recall_lists(desk.house, now()) == (0, 0), "what a list does not hold takes no list back"


def test_a_housemate_by_the_same_number_is_no_other_row_of_the_person(desk: Desk, people: pl.DataFrame) -> None:
    shared = people.head(2).with_columns(phone=pl.lit("+32470123499"))
    desk.drop(shared.write_csv(separator=";").encode(), "third.csv")
    desk.work()

    object_by(desk, people["phone"][0])

    assert called(desk) == set(people["customer_number"][1:])


def test_a_list_goes_with_the_first_of_the_files_it_is_of(store_settings: Settings, tmp_path: Path) -> None:
    """GDPR Art. 5(1)(e). One file came under an agreement that lets it stay two days, the next one under another."""
    short = (
        Edit(AGREEMENT, "duration: P90D", "duration: P2D"),
        Edit(CONTRACT, "value: 90, unit: d", "value: 2, unit: d"),
    )
    settings = with_papers(store_settings, tmp_path, *short)
    with open_desk(settings, tmp_path) as desk:
        desk.may_call()
        path, _ = desk.campaign(6)
        desk.drop(path)
        desk.work()
        longer_from_now_on(settings.principals_dir / ENERGY01)
        activate_all(desk.house.conn, settings.principals_dir, now())
        another = pl.read_csv(path, separator=";", infer_schema=False).with_columns(street=pl.lit("Nieuwstraat 1"))
        desk.drop(another.write_csv(separator=";").encode(), "second.csv")
        desk.work()
        assert {row["days"] for row in desk.sql(DAYS)} == {2, 90}

        done = ask(desk)

        lasts = [
            get_copy(desk.house.conn, done.exchange_id, kind).delete_after for kind in ("dial.kept", "dial", "index")
        ]
        assert set(lasts) == {str(today() + timedelta(days=2))}


def longer_from_now_on(papers: Path) -> None:
    more = papers / "agreement-other-3.0.0.yaml"
    more.write_text((papers / AGREEMENT).read_text(encoding="utf-8"), encoding="utf-8")
    change(more, "agreementId: DPA-ENERGY01", "agreementId: DPA-ENERGY02")
    change(more, "supersedes: 2.4.0", "supersedes: null")
    change(more, "duration: P2D", "duration: P90D")
    change(papers / CONTRACT, "value: DPA-ENERGY01", "value: DPA-ENERGY02")
    change(papers / CONTRACT, "value: 2, unit: d", "value: 90, unit: d")
