"""Checksummed numbers: a valid one is found in any spelling, one wrong digit and it is not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import ean
from stdnum.be import bis, nn

from screen.labelled import SPELT
from sluice.screen.cards import luhn
from sluice.screen.fold import fold
from sluice.screen.model import Hit
from sluice.screen.numbers import find_mails, find_numbers, iban_lengths
from sluice.screen.prefilter import Shape
from sluice.terms import ScreenClass
from support.effort import effort

YEARS, DAYS, SERIALS = st.integers(0, 99), st.integers(1, 28), st.integers(1, 997)
MONTHS = st.builds(lambda month, bis: month + bis, st.integers(1, 12), st.sampled_from([0, 20, 40]))


@settings(max_examples=effort(50, 100), deadline=None)
@given(
    year=YEARS,
    month=MONTHS,
    day=DAYS,
    serial=SERIALS,
    written=st.sampled_from(["{}{}{}{}{}", "{}.{}.{}-{}.{}", "{} {} {} {} {}"]),
)
def test_a_national_or_bis_number_is_found_by_its_checksum(year, month, day, serial, written):
    parts = (f"{year:02d}", f"{month:02d}", f"{day:02d}", f"{serial:03d}")
    check = 97 - int("".join(parts)) % 97
    assert found(f"nr {written.format(*parts, f'{check:02d}')} genoteerd") == [ScreenClass.NATIONAL_NUMBER]
    wrong = "".join(parts) + f"{check % 97 + 1:02d}"
    is_other = nn.is_valid(wrong) or bis.is_valid(wrong)
    assert (ScreenClass.NATIONAL_NUMBER in found(f"nr {wrong}")) == is_other


@pytest.mark.parametrize("note", SPELT["a card is found"])
def test_a_card_is_found(note: str) -> None:
    assert found(note) == [ScreenClass.CARD]


@pytest.mark.parametrize("written", SPELT["a card ends where its issuer says whatever number follows, written"])
@pytest.mark.parametrize(
    "after", [" 123", " 09/28", " 03/29 737", "-123", ".123", " 2 keer", " 02/511.20.22", " 0475 12 34 56", "/0928"]
)
def test_a_card_ends_where_its_issuer_says_whatever_number_follows(written: str, after: str) -> None:
    text = fold(f"betaald met {written}{after} aub").text
    (card,) = (hit for hit in read(text) if hit[0] is ScreenClass.CARD)
    assert text[card[1] : card[2]].startswith(written), "a code of three digits may pass the checksum as its last ones"


def test_a_card_in_pairs_is_found_where_a_word_says_card_and_none_in_a_longer_number_or_beside_a_date():
    assert found("visa 41 11 11 11 11 11 11 11 09/28") == [ScreenClass.CARD]
    assert luhn("4012888888881881")
    for more in ("1", "12", "123", "1234"):
        assert ScreenClass.CARD not in found(f"nummer 4012888888881881{more}")
    assert luhn("4807223392311"), "as the first digits of a card of thirteen would"
    assert found("bel +32 480 72 23 39 23 11 2026 om 14 30") == [ScreenClass.PHONE]
    assert luhn("4111111111111111")
    assert not luhn("4111111111111112")


@pytest.mark.parametrize("written", SPELT["a card in any groups ends where a phone number begins, written"])
@pytest.mark.parametrize("before", ["", "betaald met ", "bel 02 511 20 22 of "])
@pytest.mark.parametrize("after", [" 0475123456", " 0475 12 34 56", "-0475 12 34 56", " 02 511 20 22"])
def test_a_card_in_any_groups_ends_where_a_phone_number_begins(before: str, written: str, after: str) -> None:
    text = fold(f"{before}{written}{after}").text
    phones = [ScreenClass.PHONE, ScreenClass.PHONE] if "bel" in before else [ScreenClass.PHONE]
    assert sorted(hit[0] for hit in read(text)) == sorted([ScreenClass.CARD, *phones])
    (card,) = (hit for hit in read(text) if hit[0] is ScreenClass.CARD)
    assert text[card[1] : card[2]] == written


@pytest.mark.parametrize("written", ["41 11 11 11 11 11 11 11", "378 282 246 310 005", " ".join("4111111111111111")])
@pytest.mark.parametrize("after", [" 09/28", " 123", " 12-03-2026", " 1234"])
def test_a_card_in_equal_groups_is_found_whatever_number_follows(written: str, after: str) -> None:
    assert found(f"betaald met {written}{after}") == [ScreenClass.CARD]


@pytest.mark.parametrize(
    "note",
    [
        "order 41 11 11 11 11 11 11 11 0475123456",
        "bel 06 41 11 11 11 of 0475123456",
        "scores " + " ".join("4111111111111111" + "12345"),
        "+41 11 11 11 11 11 11 11 09/28",
        "12 41 11 11 11 11 11 11 11 09/28",
    ],
)
def test_equal_groups_alone_are_no_card_where_they_are_called_otherwise_or_go_on(note: str) -> None:
    assert ScreenClass.CARD not in found(note)


@pytest.mark.parametrize("note", ["4111 1111 1111 1112", "9111111111111111", "order 4012888888881881", "6" * 20])
def test_what_has_no_checksum_issuer_or_is_called_otherwise_is_no_card(note: str) -> None:
    assert found(note) == []


@pytest.mark.parametrize(
    ("note", "class_"),
    [
        ("rrn 54.03.12-123.90 4471290", ScreenClass.NATIONAL_NUMBER),
        ("rrn 54.03.12-123.90 4471291 en 4471292", ScreenClass.NATIONAL_NUMBER),
        ("kaart 5412 7512 3412 3452 12/27", ScreenClass.CARD),
        ("5412-7512-3412-3452-12", ScreenClass.CARD),
        ("5412 7512 3412 3452 14", ScreenClass.CARD),
    ],
)
def test_what_begins_as_a_meter_and_is_a_person_or_a_card_is_found(note: str, class_: ScreenClass) -> None:
    assert found(note) == [class_]


METER = "541448900474885667"


@pytest.mark.parametrize("written", ["{}{}{}{}{}", "{} {} {} {} {}", "{}.{}.{}.{}.{}", "{}-{}-{}-{}-{}"])
@pytest.mark.parametrize("note", ["EAN {}", "{} doorgegeven", "meter {0} en {0}", "EAN {0} {0}", "{} 02 511 20 22"])
def test_a_meter_protects_its_digits_in_any_groups(note: str, written: str) -> None:
    assert ean.calc_check_digit(METER[:-1]) == METER[-1]
    said = note.format(written.format(METER[:4], METER[4:8], METER[8:12], METER[12:16], METER[16:]))
    assert found(said) == ([ScreenClass.PHONE] if "02 511" in note else [])


def test_a_meter_whose_first_digits_pass_as_a_card_is_one_where_a_word_says_so_and_none_in_a_longer_number():
    assert found("EAN 5414 4880 0000 0006 04") == []
    assert ean.calc_check_digit("54050720675171047") == "5"
    assert found("nr 43647 54050720 67 517 1-0475 27 71 50") == [ScreenClass.CARD, ScreenClass.PHONE]


@pytest.mark.parametrize("note", SPELT["an iban is found whether or not its bank is known"])
def test_an_iban_is_found_whether_or_not_its_bank_is_known(note: str) -> None:
    assert found(note) == [ScreenClass.IBAN]


def test_a_wrong_digit_or_one_more_is_no_iban_and_the_registry_of_lengths_is_read():
    assert found("BE68 5390 0754 7035") == []
    assert found("BE685390075470341") == []
    assert iban_lengths()["be"] == 16
    assert iban_lengths()["mt"] == 31
    assert len(iban_lengths()) > 70


@pytest.mark.parametrize("note", SPELT["an address is found"])
def test_an_address_is_found(note: str) -> None:
    assert len(find_mails(fold(f"mail {note} aub").text)) == 1


@pytest.mark.parametrize("note", ["@sofie", "prijs @ 5 euro", "meet at noon. ok then", "user@"])
def test_a_sign_alone_is_no_address(note: str) -> None:
    assert find_mails(note) == []


def found(note: str) -> list[ScreenClass]:
    return [hit[0] for hit in read(fold(note).text)]


def read(text: str) -> list[Hit]:
    return find_numbers(text, sum(Shape), "BE")
