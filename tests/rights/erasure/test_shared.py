"""What several persons have in common: a family's telephone is nobody's residue, and nobody else's row goes."""

import io
import json
from collections.abc import Sequence

import polars as pl

from rights.asking import asked
from rights.town import night_fixture, now
from sluice.exchange.catalogue import get_copy
from sluice.lake.s3.objects import StoredObject
from sluice.rights.erasure.certificate import issue, stores_in
from sluice.rights.erasure.certificate_check import verify_certificate
from sluice.rights.erasure.erase import run, verify
from sluice.terms import ExchangeId
from support.night import AT_ONCE, Call, Night

FAMILY, OTHER_FAMILY, OOSTENDE = "0470 00 00 01", "0470 00 00 02", "+32 58 47 06 42"
ANN = "an.claes@post.example"


def rows_of(night: Night, first: int, count: int, **cells: dict[int, str]) -> list[list[str]]:
    """Contacts under customer numbers from ``first`` on; some of them with other cells, by their place."""
    head, *lines = night.contacts.read_text().splitlines()
    names, rows = head.split(";"), [line.split(";") for line in lines[:count]]
    for place, row in enumerate(rows):
        row[0] = number(first + place)
        for name, values in cells.items():
            row[names.index(name)] = values.get(place, row[names.index(name)])
    return rows


def number(place: int) -> str:
    return f"E{place:08d}"


def drop(night: Night, name: str, rows: Sequence[Sequence[str]], more: str = "") -> StoredObject:
    head = night.contacts.read_text().splitlines()[0] + more
    return night.desk.drop(("\r\n".join([head, *map(";".join, rows)]) + "\r\n").encode(), name)


def shared(night: Night) -> None:
    """Two families of two customers have one telephone, each spelled in another way; the first three were called.

    Another one has it in a file that was refused whole.
    """
    phones = {0: FAMILY, 1: "+32470000001", 4: OTHER_FAMILY, 5: "+32470000002"}
    rows = rows_of(night, 0, 7, phone=phones, email={2: ANN, 3: f"j{ANN}"})
    drop(night, "family.csv", rows)
    drop(night, "refused.csv", [[number(99), *rows[0][1:], "42"]], ";shoe_size")
    night.desk.work()
    place = night.contacts.read_text().split(";").index("phone")
    phones_called = (FAMILY, FAMILY, rows[2][place])
    night.called(*(Call(f"f{n}", rows[n][0], phone) for n, phone in enumerate(phones_called)))
    night.make()


night = night_fixture(shared, AT_ONCE)


def lake_customers(night: Night) -> list[str]:
    """Customers in the second file's lake object."""
    [line] = [each for each in night.desk.lines() if each.file == "family.csv"]
    copy = get_copy(night.desk.house.conn, ExchangeId(line.id), "lake")
    content = night.desk.house.objects.read(copy.bucket, copy.key, copy.version_id)
    return sorted(pl.read_parquet(io.BytesIO(content))["customer_number"].to_list())


def put_text(night: Night, name: str, text: str) -> None:
    key = f"energy01/outbound/renewal_results/{name}.txt"
    night.desk.house.objects.put(night.desk.settings.bucket_exchange, key, text.encode(), "text/plain")


def take_away(night: Night) -> None:
    bucket, objects = night.desk.settings.bucket_exchange, night.desk.house.objects
    for item in list(objects.list_versions(bucket, "energy01/outbound/")):
        if item.key.endswith(".txt"):
            objects.delete_version(bucket, item.key, item.version_id)


def test_one_of_a_family_goes_by_the_customer_number_and_the_certificate_says_what_is_shared(night: Night) -> None:
    house, case = night.desk.house, asked(night, "", number(0))

    report = run(house, case.case_id, now())

    assert (report.residual, report.doubts) == (0, 0)
    assert report.shared >= 1, "the telephone, in each of its spellings"
    assert lake_customers(night) == [number(place) for place in range(1, 7)]
    [certificate, *_] = issue(house, case.case_id)
    said = verify_certificate(certificate.jws, house.keyring.public_pem)
    assert said["shared_with_others"] == report.shared
    assert stores_in([certificate])
    assert not any(value in json.dumps(said) for value in (FAMILY, "470000001")), "how many, never which"

    both = run(house, asked(night, OTHER_FAMILY, number(4)).case_id, now())
    assert (both.residual, both.doubts) == (0, 0) and both.shared >= 1, "a number is one person's"
    assert lake_customers(night) == [number(place) for place in (1, 2, 3, 5, 6)]


def test_an_address_inside_a_longer_one_of_somebody_else_is_no_residue_also_where_it_was_not_accepted(
    night: Night,
) -> None:
    house = night.desk.house
    rows = rows_of(night, 70, 6, email={0: f"t{ANN}"})
    drop(night, "others.csv", [[*row, "42"] for row in rows], ";shoe_size")  # refused whole
    rows = rows_of(night, 76, 6, email={0: f"z{ANN}"})
    drop(night, "records.csv", [[*rows[0], "one", "two", "three"], *rows[1:]])  # a record that is no row
    night.desk.work()
    case, before = asked(night, "", number(2)), lake_customers(night)

    report = run(house, case.case_id, now())

    assert (report.residual, report.doubts) == (0, 0)
    assert lake_customers(night) == [each for each in before if each != number(2)]
    put_text(night, "note", f"wrote to {ANN} twice")
    assert verify(house, case.case_id, now()).residual == 1, "control: as a word of its own it is found again"
    take_away(night)
    drop(night, "new.csv", rows_of(night, 77, 1, email={0: ANN}))
    waits = verify(house, case.case_id, now())
    night.desk.work()
    after = verify(house, case.case_id, now())
    assert (waits.residual, waits.waiting) == (0, 1), "control: nobody has read yet whose it is"
    assert (after.residual, after.shared) == (0, waits.shared + 1), "it is another customer's since"


def test_a_telephone_inside_a_longer_number_of_somebody_else_is_no_residue_but_a_quoted_one_is(night: Night) -> None:
    house = night.desk.house
    [mine, other] = rows_of(night, 80, 2, phone={0: OOSTENDE}, campaign_code={1: "REC158470642"}, note={1: ""})
    coast = drop(night, "coast.csv", [mine, other])
    quoting = [
        drop(night, f"quoting-{place}.csv", rows_of(night, 82 + place, 1, note={0: note}))
        for place, note in enumerate(("tel:3258470642", "058470642", "zie 158470642", "bel 58470642"))
    ]
    night.desk.work()
    case = asked(night, "", number(80))

    report = run(house, case.case_id, now())

    assert report.doubts == 0 and report.residual == 2 * len(quoting), "the file that quotes it, and its rows"
    assert {each.exchange_id for each in report.unread} == {night.desk.line(each).id for each in quoting}
    assert b"REC158470642" in house.objects.read(night.desk.settings.bucket_exchange, coast.key)
    for place, text in enumerate(("call 58470642 back", "REC258470642", "158470642", "REC 158470642")):
        put_text(night, f"note{place}", text)
    assert verify(house, case.case_id, now()).residual == report.residual + 4
