"""A correction wins over older files that arrive later; what it was is flagged; an erasure removes it."""

import io
import itertools
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import polars as pl
import pytest

from dial.lists import CAMPAIGN, ENERGY01, now
from sluice.dial.read import view_rows
from sluice.exchange.persons.corrections import (
    Left,
    RightValue,
    correct,
    count_left,
    drop_corrections,
    evidence_of,
    find_corrections,
    salted,
)
from sluice.lake.quarantine import seal_bytes
from sluice.lake.s3.objects import StoredObject
from sluice.subject.correct import value_hash
from sluice.subject.refs import refer
from sluice.terms import SubjectKind
from support.desk import Desk

CASES = ["", ""]
"""Of the test."""
RIGHT = "Rechtzettingsplein 1"
AS_OF = datetime(2026, 11, 25, tzinfo=UTC)


SEEDS = itertools.count(1)
OF_THE_TEST = "appended_at >= current_setting('tests.began')::timestamptz"
"""Of entries of the ledger."""


@pytest.fixture
def desk(module_desk: Desk) -> Desk:
    """A desk of several tests, at which nothing is corrected."""
    for item in left_in_vault(module_desk):
        module_desk.house.objects.delete_version(item.bucket, item.key, item.version_id)
    module_desk.house.conn.execute("update correction set gone_at = now() where gone_at is null")
    CASES[:] = str(uuid4()), str(uuid4())
    module_desk.house.conn.execute("select set_config('tests.began', clock_timestamp()::text, false)")
    return module_desk


def contacts(desk: Desk) -> pl.DataFrame:
    """Rows of contacts whom no other test has; the first file of them is accepted."""
    people = pl.read_csv(desk.campaign(8, next(SEEDS))[0], separator=";", infer_schema=False)
    assert arrives(desk, people, "first.csv") == {}
    return people


def said(value: str, name: str = "street", as_of: datetime | None = None, asked: str = "") -> RightValue:
    return RightValue(name, value, as_of or now(), False, asked or value)


def refs(desk: Desk, number: str) -> frozenset[str]:
    made = refer(desk.house.subject_key(ENERGY01), SubjectKind.PRINCIPAL_CUSTOMER_ID, number).ref
    assert made is not None
    return frozenset({made})


def arrives(desk: Desk, people: pl.DataFrame, name: str, street: str | None = None) -> dict[str, int]:
    """A file of these rows, the first one's street replaced; cells flagged in its record, by column."""
    changed = people.with_columns(
        street=pl.when(pl.lit(street is not None) & (pl.int_range(people.height) == 0))
        .then(pl.lit(street))
        .otherwise("street"),
        attempts=pl.lit(str(len(name))),
    )
    dropped = desk.drop(changed.write_csv(separator=";").encode(), name)
    desk.work()
    record = desk.shown(dropped).record
    assert record is not None and record.what.rows_refused == 0
    return {line.column or "": line.count for line in record.reasons if line.code == "STALE_VALUE_CORRECTED"}


def street_now(desk: Desk, number: str) -> str:
    rows = view_rows(desk.house, ENERGY01, CAMPAIGN).filter(pl.col("customer_number") == number)
    return str(rows.sort("sluice_age")["street"][-1])


def test_a_correction_beats_older_files_and_the_value_it_replaced_and_gives_way_to_news(desk: Desk) -> None:
    people = contacts(desk)
    number, was = people["customer_number"][0], people["street"][0]
    correct(desk.house, ENERGY01, CASES[0], refs(desk, number), said(RIGHT), now())
    assert street_now(desk, number) == RIGHT

    assert arrives(desk, people, "second.csv") == {"street": 1}, "the value that was corrected"
    assert street_now(desk, number) == RIGHT
    before = f"{now() - timedelta(days=9):%Y-%m-%d}"
    assert arrives(desk, people, f"late_{before}.csv", "Elders 3") == {"street": 1}, "an older file"
    assert street_now(desk, number) == RIGHT
    assert arrives(desk, people, "agreed.csv", RIGHT) == {}
    assert arrives(desk, people, "news.csv", "Verhuisd 9") == {}
    assert street_now(desk, number) == "Verhuisd 9"
    assert view_rows(desk.house, ENERGY01, CAMPAIGN).filter(pl.col("street") == was).is_empty()

    entries = desk.sql(
        f"select convert_from(body, 'UTF8') as body from ledger.entry where kind = 'correction.made' and {OF_THE_TEST}"
    )
    body = json.loads(str(entries[0]["body"]))
    assert (len(entries), body["field"], len(body["before"]), len(body["after"])) == (1, "street", 1, 64)
    everything = desk.sql("select convert_from(body, 'UTF8') as body from ledger.entry")
    assert not [value for value in (RIGHT, was) if any(value in str(entry["body"]) for entry in everything)]


def test_a_corrected_phone_is_the_one_that_is_called_and_still_keeps_the_person_out(desk: Desk) -> None:
    people = contacts(desk)
    number = people["customer_number"][0]
    correct(desk.house, ENERGY01, CASES[0], refs(desk, number), said("0470 11 22 33", "phone"), now())
    view = view_rows(desk.house, ENERGY01, CAMPAIGN)
    row = view.filter(pl.col("customer_number") == number).to_dicts()[0]
    key = desk.house.subject_key(ENERGY01)
    assert row["phone"] == "0470 11 22 33"
    assert row["sluice_ref_corrected_phone"] == refer(key, SubjectKind.PHONE, "+32470112233").ref


def test_an_erasure_removes_what_was_corrected_of_the_person_and_of_nobody_else(desk: Desk) -> None:
    people = contacts(desk)
    first, second = (refs(desk, each) for each in people["customer_number"].head(2))
    for each, case in ((first, CASES[0]), (second, CASES[1])):
        correct(desk.house, ENERGY01, case, each, said(RIGHT), now())

    assert drop_corrections(desk.house, ENERGY01, first, now()) == 1
    assert [each.refs for each in find_corrections(desk.house, ENERGY01)] == [tuple(second)]
    left = [item.key for item in desk.objects(desk.settings.bucket_vault) if item.key.startswith("_corrections/")]
    assert len(left) == 1
    sealed = io.BytesIO(desk.house.objects.read(desk.settings.bucket_vault, left[0])).getvalue()
    assert RIGHT.encode() not in sealed


def corrected(desk: Desk, person: frozenset[str], value: str = RIGHT, case: str = "", **more: str) -> str:
    return correct(desk.house, ENERGY01, case or CASES[0], person, said(value, as_of=AS_OF, **more), now())


def put_sealed(desk: Desk, content: bytes) -> None:
    key = f"_corrections/{ENERGY01}/x.age"
    sealed = seal_bytes(content, desk.house.keyring, ENERGY01)
    desk.house.objects.put(desk.settings.bucket_vault, key, sealed, "text/plain")


def left_in_vault(desk: Desk) -> list[StoredObject]:
    return [item for item in desk.objects(desk.settings.bucket_vault) if item.key.startswith("_corrections/")]


def test_what_a_dead_worker_left_is_removed_by_the_next_erasure_and_until_then_found(desk: Desk) -> None:
    people = contacts(desk)
    first, second = (refs(desk, each) for each in people["customer_number"].head(2))
    corrected(desk, first)
    corrected(desk, second, case=CASES[1])
    desk.house.conn.execute("update correction set gone_at = now() where case_id = %s", (CASES[0],))  # and it died here
    assert count_left(desk.house, ENERGY01, first) == Left(1) == count_left(desk.house, ENERGY01, second)
    assert len(find_corrections(desk.house, ENERGY01)) == 1

    assert drop_corrections(desk.house, ENERGY01, frozenset({"nobody"}), now()) == 0
    assert (count_left(desk.house, ENERGY01, first), len(left_in_vault(desk))) == (Left(0), 1)
    put_sealed(desk, json.dumps({"refs": sorted(first)}).encode())  # another one died before its row
    assert drop_corrections(desk.house, ENERGY01, first | second, now()) == 2
    assert left_in_vault(desk) == []


def test_what_was_asked_before_an_erasure_is_not_written_anew_after_it(desk: Desk) -> None:
    person = refs(desk, contacts(desk)["customer_number"][0])
    made = corrected(desk, person)
    drop_corrections(desk.house, ENERGY01, person, now())

    assert corrected(desk, person) == made, "the step of a killed worker is taken again"
    assert left_in_vault(desk) == []


def test_an_object_that_is_no_correction_is_a_doubt(desk: Desk) -> None:
    put_sealed(desk, b"[1]")
    desk.house.objects.put(desk.settings.bucket_vault, f"_corrections/{ENERGY01}/x.age", b"no seal", "text/plain")
    assert count_left(desk.house, ENERGY01, frozenset()) == Left(0, 2)
    assert drop_corrections(desk.house, ENERGY01, frozenset(), now()) == 0


def test_the_ledger_says_nothing_of_a_value_once_the_sealed_object_is_gone(desk: Desk) -> None:
    """With the salt the entry proves what was corrected; with the subject key alone nobody can even guess."""
    people = contacts(desk)
    number, was = people["customer_number"][0], people["street"][0]
    made, key = corrected(desk, refs(desk, number)), desk.house.subject_key(ENERGY01)
    [correction] = find_corrections(desk.house, ENERGY01)
    [entry] = desk.sql(
        f"""select convert_from(body, 'UTF8')::json as body, encode(hash, 'hex') as hash from ledger.entry
            where kind = 'correction.made' and {OF_THE_TEST}"""
    )
    body = entry["body"]
    assert isinstance(body, dict) and evidence_of(desk.house, [made]) == entry["hash"]
    hashes = {value: value_hash(key, "street", value) for value in (RIGHT, was)}
    assert body["after"] == salted(correction.salt, hashes[RIGHT])
    assert body["before"] == [salted(correction.salt, hashes[was])]

    everything = " ".join(
        str(row["body"]) for row in desk.sql("select convert_from(body, 'UTF8') as body from ledger.entry")
    )
    assert not [each for each in (*hashes.values(), correction.salt) if each in everything]
    again = corrected(desk, refs(desk, number), case=CASES[1])
    other = next(each for each in find_corrections(desk.house, ENERGY01) if each.correction_id == again)
    assert other.salt != correction.salt


def test_another_value_is_another_correction_and_what_it_replaced_is_stale(desk: Desk) -> None:
    people = contacts(desk)
    number = people["customer_number"][0]
    corrected(desk, refs(desk, number), "Eerst 1")
    corrected(desk, refs(desk, number), "Dan 2")

    assert len(find_corrections(desk.house, ENERGY01)) == len(left_in_vault(desk)) == 2
    assert street_now(desk, number) == "Dan 2"
    for street in ("Eerst 1", people["street"][0]):
        assert arrives(desk, people, f"again_{len(street)}.csv", street) == {"street": 1}
        assert street_now(desk, number) == "Dan 2"
