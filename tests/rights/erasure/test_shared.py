"""What several persons have in common: a family's telephone is nobody's residue, and nobody else's row goes."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from rights.asking import asked
from sluice.exchange.catalogue import get_copy
from sluice.exchange.read import list_exchanges
from sluice.rights.erasure.certificate import issue, stores_in
from sluice.rights.erasure.certificate_check import verify_certificate
from sluice.rights.erasure.erase import run, verify
from sluice.settings import Settings
from sluice.terms import Decision, Direction, ExchangeId
from support.copies import Copies
from support.night import AT_ONCE, Call, Night, copied_night, open_night, with_papers

pytestmark = pytest.mark.stores
FAMILY = "0470 00 00 01"
INBOUND = "energy01/inbound/renewal_campaign"
ANN = "an.claes@post.example"


def shared(settings: Settings, folder: Path) -> None:
    """Two customers of a second file have one telephone, each spelled in another way; both were called.

    Another one has it in a file that was refused whole.
    """
    with open_night(with_papers(settings, folder, AT_ONCE), folder) as opened:
        header, *lines = opened.contacts.read_text().splitlines()
        place, mail = (header.split(";").index(name) for name in ("phone", "email"))
        rows = [line.split(";") for line in lines[:6]]
        for number, row in enumerate(rows):
            row[0] = f"E{number:08d}"
            row[place] = {0: FAMILY, 1: "+32470000001"}.get(number, row[place])
            row[mail] = {2: ANN, 3: f"j{ANN}"}.get(number, row[mail])
        family = "\r\n".join([header, *(";".join(row) for row in rows)]) + "\r\n"
        opened.desk.drop(family.encode(), "family.csv")
        others = [f"{header};shoe_size", ";".join([f"E{99:08d}", *rows[0][1:], "42"])]
        opened.desk.drop(("\r\n".join(others) + "\r\n").encode(), "refused.csv")
        opened.desk.work()
        calls = [Call("f0", rows[0][0], FAMILY), Call("f1", rows[1][0], FAMILY), Call("f2", rows[2][0], rows[2][place])]
        opened.called(*calls)
        opened.make()


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    with copied_night(copies, tmp_path, fill=shared) as opened:
        yield opened


def lake_customers(night: Night) -> list[str]:
    """Customers in the second file's lake object."""
    accepted = list_exchanges(night.desk.house.conn, direction=Direction.INBOUND, decision=Decision.ACCEPTED)
    exchange = accepted[0].id
    copy = get_copy(night.desk.house.conn, ExchangeId(exchange), "lake")
    content = night.desk.house.objects.read(copy.bucket, copy.key, copy.version_id)
    return sorted(pl.read_parquet(io.BytesIO(content))["customer_number"].to_list())


def test_one_of_a_family_goes_by_the_customer_number_and_the_certificate_says_what_is_shared(night: Night) -> None:
    house = night.desk.house
    case = asked(night, "", "E00000000")

    report = run(house, case.case_id, datetime.now(UTC))

    assert (report.residual, report.doubts) == (0, 0)
    assert report.shared >= 1, "the telephone, in each of its spellings"
    assert lake_customers(night) == [f"E{number:08d}" for number in range(1, 6)]
    [certificate, *_] = issue(house, case.case_id)
    said = verify_certificate(certificate.jws, house.keyring.public_pem)
    assert said["shared_with_others"] == report.shared
    assert stores_in([certificate])
    assert not any(value in json.dumps(said) for value in (FAMILY, "470000001")), "how many, never which"


def test_whoever_gives_their_number_and_the_shared_telephone_takes_their_own_rows_only(night: Night) -> None:
    """A number is one person's: nobody decided about the other customer who has the telephone."""
    report = run(night.desk.house, asked(night, FAMILY, "E00000000").case_id, datetime.now(UTC))

    assert (report.residual, report.doubts) == (0, 0)
    assert report.shared >= 1
    assert lake_customers(night) == [f"E{number:08d}" for number in range(1, 6)]


def test_an_address_inside_a_longer_one_of_somebody_else_is_no_residue(night: Night) -> None:
    report = run(night.desk.house, asked(night, "", "E00000002").case_id, datetime.now(UTC))

    assert (report.residual, report.doubts) == (0, 0)
    assert lake_customers(night) == [f"E{number:08d}" for number in (0, 1, 3, 4, 5)]


def test_control_as_a_word_of_its_own_it_is_found_again(night: Night) -> None:
    house = night.desk.house
    case = asked(night, "", "E00000002")
    run(house, case.case_id, datetime.now(UTC))
    note = f"wrote to {ANN} twice".encode()
    house.objects.put(
        night.desk.settings.bucket_exchange, "energy01/outbound/renewal_results/note.txt", note, "text/plain"
    )

    assert verify(house, case.case_id, datetime.now(UTC)).residual == 1


OOSTENDE = "+32 58 47 06 42"


def coastal(night: Night, code: str, note: str = "") -> str:
    """Customer number of somebody with this telephone, who asked; another row of their file has this code and note."""
    header, *lines = night.contacts.read_text().splitlines()
    names, rows = header.split(";"), [line.split(";") for line in lines[:2]]
    for number, row in enumerate(rows):
        row[names.index("customer_number")] = f"E{80 + number:08d}"
    rows[0][names.index("phone")] = OOSTENDE
    rows[1][names.index("campaign_code")], rows[1][names.index("note")] = code, note
    night.desk.drop("\r\n".join([header, *(";".join(row) for row in rows), ""]).encode(), "coast.csv")
    night.desk.work()
    return f"E{80:08d}"


def test_a_telephone_inside_a_longer_number_of_somebody_else_is_no_residue(night: Night) -> None:
    customer = coastal(night, "REC158470642")
    house, case = night.desk.house, asked(night, "", customer)

    report = run(house, case.case_id, datetime.now(UTC))

    assert (report.residual, report.doubts) == (0, 0)
    assert b"REC158470642" in house.objects.read(night.desk.settings.bucket_exchange, f"{INBOUND}/coast.csv")
    for number, text in enumerate(("call 58470642 back", "REC258470642", "158470642", "REC 158470642")):
        key = f"energy01/outbound/renewal_results/note{number}.txt"
        house.objects.put(night.desk.settings.bucket_exchange, key, text.encode(), "text/plain")
        assert verify(house, case.case_id, datetime.now(UTC)).residual == number + 1, text


@pytest.mark.parametrize("note", ["tel:3258470642", "058470642", "zie 158470642", "bel 58470642"])
def test_control_a_row_of_somebody_else_that_quotes_the_telephone_is_one(night: Night, note: str) -> None:
    case = asked(night, "", coastal(night, "SPRING", note))
    assert run(night.desk.house, case.case_id, datetime.now(UTC)).residual > 0


def test_an_address_that_another_customer_has_since_is_theirs(night: Night) -> None:
    """Their file came after the erasure: it is no residue, and keeps no other erasure waiting."""
    house, case = night.desk.house, asked(night, "", "E00000002")
    run(house, case.case_id, datetime.now(UTC))
    header, line = night.contacts.read_text().splitlines()[:2]
    row = line.split(";")
    row[header.split(";").index("email")] = ANN
    night.desk.drop("\r\n".join([header, ";".join(["E00000077", *row[1:]])]).encode() + b"\r\n", "new.csv")
    before = verify(house, case.case_id, datetime.now(UTC))
    night.desk.work()

    after = verify(house, case.case_id, datetime.now(UTC))

    assert (before.residual, before.waiting) == (0, 1), "control: nobody has read yet whose it is"
    assert (after.residual, after.shared) == (0, before.shared + 1)


@pytest.mark.parametrize("way", ["refused whole", "a record that is no row"])
def test_a_longer_address_in_rows_that_were_not_accepted_is_no_residue_either(night: Night, way: str) -> None:
    header, *lines = night.contacts.read_text().splitlines()
    place = header.split(";").index("email")
    rows = [line.split(";") for line in lines[:6]]
    for number, row in enumerate(rows):
        row[0] = f"E7{number:07d}"
    rows[0][place] = f"t{ANN}"
    if way == "refused whole":
        text = [f"{header};shoe_size", *(";".join([*row, "42"]) for row in rows)]
    else:
        text = [header, ";".join([*rows[0], "one", "two", "three"]), *(";".join(row) for row in rows[1:])]
    night.desk.drop(("\r\n".join(text) + "\r\n").encode(), "others.csv")
    night.desk.work()

    report = run(night.desk.house, asked(night, "", "E00000002").case_id, datetime.now(UTC))

    assert (report.residual, report.doubts) == (0, 0)
