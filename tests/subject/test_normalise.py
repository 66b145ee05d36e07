"""One person, one normal form in any spelling; two persons, two; nobody, none."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.subject.model import NoRef, Normal
from sluice.subject.normalise import normalise
from sluice.terms import SubjectKind
from subject.plans import phones, spellings

PHONE, EMAIL, IBAN = SubjectKind.PHONE, SubjectKind.EMAIL, SubjectKind.IBAN
NATIONAL, CUSTOMER = SubjectKind.NATIONAL_NUMBER, SubjectKind.PRINCIPAL_CUSTOMER_ID


@given(phones())
def test_a_phone_number_has_one_normal_form_in_every_spelling(phone):
    number, region = phone

    forms = {normalise(PHONE, spelling, region=region).value for spelling in spellings(number, region)}

    assert len(spellings(number, region)) >= 12
    assert forms == {number}


@given(phones(), phones())
def test_two_phone_numbers_never_share_a_normal_form(one, other):
    forms = [
        {normalise(PHONE, text, region=region).value for text in spellings(number, region)}
        for number, region in (one, other)
    ]

    assert (forms[0] == forms[1]) == (one[0] == other[0])


@pytest.mark.parametrize(
    "value",
    [
        "4.75E+08",
        "0475 12 34 5",
        "0475123456 / 0476123456",
        "0475 12 34 56²",
        "47512345.6",
        "+32 475 12 34 56 (na 18u)",
        "0475 CALL ME",
        "tel:123-4567;phone-context=+1-914",
        "+999 123456789",
    ],
)
def test_a_phone_number_that_would_need_a_guess_is_a_finding(value):
    assert normalise(PHONE, value).reason is NoRef.INVALID


@pytest.mark.parametrize("kind", list(SubjectKind))
@pytest.mark.parametrize("value", ["geen", "N/A", "n.v.t.", "Onbekend", " inconnu ", "---", "?", "#N/B", "NULL"])
def test_filler_words_name_nobody_in_any_kind_of_column(kind, value):
    assert normalise(kind, value).reason is NoRef.PLACEHOLDER


@pytest.mark.parametrize("value", ["0000000000", "999999999", "112", "+32 112", "100", "101", "0123456789", "0"])
def test_filler_and_emergency_numbers_name_nobody(value):
    assert normalise(PHONE, value).reason is NoRef.PLACEHOLDER


@pytest.mark.parametrize("value", [None, "", "  ", "\u00a0\u200b"])
def test_nothing_is_empty_not_invalid(value):
    assert normalise(PHONE, value).reason is NoRef.EMPTY


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("  Jan.Peeters+energie@Mail.Example ", "jan.peeters+energie@mail.example"),
        ("\uff2a\uff21\uff2e\uff20mail.example", "jan@mail.example"),
        ("mailto:jan@mail.example", "jan@mail.example"),
        ("jan@xn--bcher-kva.example", "jan@bücher.example"),
        ("jan@BÜCHER.example", "jan@bücher.example"),
        ("\u200bjan@mail.example\ufeff", "jan@mail.example"),
    ],
)
def test_an_email_address_is_trimmed_and_folded(value, form):
    assert normalise(EMAIL, value).value == form


def test_plus_parts_and_dots_keep_two_mailboxes_apart():
    boxes = ["jan.peeters@mail.example", "janpeeters@mail.example", "janpeeters+a@mail.example"]

    assert len({normalise(EMAIL, box).value for box in boxes}) == 3


@pytest.mark.parametrize("value", ["jan@mail", "a..b@mail.example", "a@@mail.example", "A <j@mail.example>", "@x.be"])
def test_a_malformed_email_address_is_a_finding(value):
    assert normalise(EMAIL, value).reason is NoRef.INVALID


@pytest.mark.parametrize(
    ("longest", "longer"),
    [
        (f"jan@{'a' * 63}.be", f"jan@{'a' * 64}.be"),
        (f"{'a' * 64}@mail.example", f"{'a' * 65}@mail.example"),
        (f"{'a' * 60}@{'b.' * 95}bel", f"{'a' * 60}@{'b.' * 95}bell"),
    ],
)
def test_parts_of_an_email_address_are_at_most_as_long_as_rfc_5321_and_5322_say(longest, longer):
    assert normalise(EMAIL, longest).value == longest
    assert normalise(EMAIL, longer).reason is NoRef.INVALID


@pytest.mark.parametrize("host", ["-a.be", "a-.be", "a.b", "a.12", "a..be", "xn--ü.be", "a_b.be", "be", "a b.be"])
def test_what_is_no_host_name_gets_no_mail(host):
    assert normalise(EMAIL, f"jan@{host}").reason is NoRef.INVALID
    assert normalise(EMAIL, "jan@a-b.x2.be").value == "jan@a-b.x2.be"


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("0475\u2028123456", "+32475123456"),
        ("0475\u2029123456", "+32475123456"),
        ("0475\u3000123456", "+32475123456"),
        ("0475\x85123456", "+32475123456"),
        ("0475\u2013123456", "+32475123456"),
        ("0475\u2212123456", "+32475123456"),
        ("\uff0b32475123456", "+32475123456"),
        ("\u06f0475123456", "+32475123456"),
        ("0475\u00ad123456", "+32475123456"),
        ("Tel.: 0475 123456", "+32475123456"),
        ("GSM 0475123456 x12", "+32475123456"),
        ("0475123456;ext=1234567", "+32475123456"),
        ("0475123456,0", "+32475123456"),
    ],
)
def test_signs_of_every_script_and_what_stands_around_a_number_are_read(value, form):
    assert normalise(PHONE, value).value == form


@pytest.mark.parametrize(
    "value",
    [
        "0475\u2460123456",
        "0475\u00b2123456",
        "047512345\u2465",
        "047512345\u2076",
        "0475123456;ext=12345678",
        "tel0475123456",
    ],
)
def test_what_only_looks_like_a_digit_or_a_label_is_a_finding(value):
    assert normalise(PHONE, value).reason is NoRef.INVALID


@pytest.mark.parametrize("value", ["geen@geen.be", "noreply@mail.example", "x@y.invalid", "test@test.example"])
def test_filler_mailboxes_name_nobody(value):
    assert normalise(EMAIL, value).reason is NoRef.PLACEHOLDER


@pytest.mark.parametrize(
    "value", ["BE68 5390 0754 7034", "be68-5390-0754-7034", "IBAN: BE68539007547034", "iban be68539007547034"]
)
def test_an_iban_has_one_normal_form(value):
    assert normalise(IBAN, value).value == "BE68539007547034"


@pytest.mark.parametrize(
    ("kind", "value"), [(IBAN, "BE00 0000 0000 0000"), (NATIONAL, "00.00.00-000.00"), (NATIONAL, "99999999999")]
)
def test_one_digit_all_along_is_a_number_of_nobody(kind, value):
    assert normalise(kind, value).reason is NoRef.PLACEHOLDER


@pytest.mark.parametrize("value", ["BE69 5390 0754 7034", "BE68 5390 0754 703", "ZZ12", "B", "IBAN"])
def test_a_wrong_iban_is_a_finding(value):
    assert normalise(IBAN, value).reason is NoRef.INVALID


def numbered(born: str, serial: int, century: int) -> str:
    """A national number with the checksum of its century."""
    body = int(f"{born}{serial:03}")
    return f"{body:09}{97 - (body + (2_000_000_000 if century == 20 else 0)) % 97:02}"


@given(st.integers(0, 99), st.integers(1, 12), st.integers(1, 28), st.integers(1, 998), st.sampled_from([0, 20, 40]))
def test_national_numbers_that_differ_only_by_century_are_two_persons(year, month, day, serial, bis):
    born = f"{year:02}{month + bis:02}{day:02}"

    old, young = (normalise(NATIONAL, numbered(born, serial, century)).value for century in (19, 20))

    assert old == "19" + numbered(born, serial, 19)
    assert young == "20" + numbered(born, serial, 20)


@pytest.mark.parametrize(
    "value", ["85.07.30-033.28", "850730 033 28", "85073003328", "85/07/30-03328", "85073003328.0"]
)
def test_a_national_number_has_one_normal_form(value):
    assert normalise(NATIONAL, value).value == "1985073003328"


@pytest.mark.parametrize("value", ["85073003329", "85133003328", "8507300332", "00000000097", "850730033281"])
def test_a_wrong_national_number_is_a_finding(value):
    assert normalise(NATIONAL, value).reason is NoRef.INVALID


def test_a_national_number_has_a_month_and_a_serial_number_of_somebody():
    months = {month for month in range(100) if normalise(NATIONAL, numbered(f"85{month:02}30", 33, 19)).value}
    serials = {serial for serial in range(1000) if normalise(NATIONAL, numbered("850730", serial, 20)).value}

    assert months == {*range(13), *range(20, 33), *range(40, 53)}
    assert serials == set(range(1, 999))


def test_a_customer_number_counts_every_character():
    assert normalise(CUSTOMER, " 00ab12 ").value == "00ab12"
    assert normalise(CUSTOMER, "00AB12").value != normalise(CUSTOMER, "00ab12").value
    assert normalise(CUSTOMER, "0000").reason is NoRef.PLACEHOLDER
    assert normalise(CUSTOMER, "12\x0034").reason is NoRef.INVALID


@given(st.sampled_from(list(SubjectKind)), st.text(), st.sampled_from(["BE", "FR", "US"]))
def test_every_text_gets_a_form_or_a_reason_and_never_an_exception(kind, value, region):
    normal = normalise(kind, value, region=region)

    assert (normal.value is None) != (normal.reason is None)


@given(st.sampled_from(list(SubjectKind)), st.text(min_size=1))
def test_a_normal_form_shows_in_no_repr(kind, value):
    normal = normalise(kind, value)

    words = repr(Normal(None, None))
    assert normal.value is None or len(normal.value) < 4 or normal.value in words or normal.value not in repr(normal)


@given(st.text())
def test_the_normal_form_of_an_email_address_is_its_own_normal_form(value):
    form = normalise(EMAIL, f"{value}@mail.example").value

    assert form is None or normalise(EMAIL, form).value == form


HOSTILE = """
import resource
from sluice.subject.candidate import normal_name
from sluice.subject.normalise import normalise
from sluice.terms import SubjectKind

resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
marks, many = "\\u0300\\u0316" * 300_000, 200_000
for text in (
    *("+32" + space * many + "z" for space in " \\x1c\\t\\u2007"),
    *(one * many + "x" for one in (",; ", ". ", "x", "1")),
    "0470123456" + " " * many + "ext" + " " * many, "tel" + ". " * many, "IBAN" + " " * many + "x",
    f"a{marks}@x.be", marks, "a@xn--" + "z9" * many + ".be",
):
    assert normal_name(text) is None
    for kind in SubjectKind:
        assert normalise(kind, text).value is None or kind is SubjectKind.PRINCIPAL_CUSTOMER_ID, (kind, text[:8])
print(normalise(SubjectKind.PHONE, "+32 470" + " " * many + "12 34 56").value)
"""


def test_no_spelling_takes_longer_than_its_length() -> None:
    """A telephone of five kilobytes once took ten minutes in the worker, and a mailbox of marks one call of hours."""
    done = subprocess.run([sys.executable, "-c", HOSTILE], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "+32470123456\n"), done.stderr[-500:]
