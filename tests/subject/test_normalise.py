"""One person, one normal form in any spelling; two persons, two; nobody, none."""

import ast
import csv
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sluice.subject.model import NoRef, Normal
from sluice.subject.normalise import normalise
from sluice.terms import SubjectKind
from subject.plans import phones, spellings

PHONE, EMAIL = SubjectKind.PHONE, SubjectKind.EMAIL
NATIONAL = SubjectKind.NATIONAL_NUMBER


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


def test_every_value_of_the_table_has_its_form_or_its_reason():
    """``normal_forms.csv``: kind (``*``: every), value with its escapes written out, and what it becomes."""
    with Path(__file__).with_name("normal_forms.csv").open(encoding="utf-8", newline="") as file:
        rows = [(kind, ast.literal_eval(f"'{value}'"), form) for kind, value, form in list(csv.reader(file))[1:]]

    wrong = [
        (kind, value, form)
        for named, value, form in rows
        for kind in (SubjectKind if named == "*" else [SubjectKind(named)])
        if (normal := normalise(kind, value)) and form not in (normal.value, normal.reason)
    ]

    assert len(rows) > 100 and wrong == []
    assert normalise(PHONE, None).reason is NoRef.EMPTY


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


def test_a_national_number_has_a_month_and_a_serial_number_of_somebody():
    months = {month for month in range(100) if normalise(NATIONAL, numbered(f"85{month:02}30", 33, 19)).value}
    serials = {serial for serial in range(1000) if normalise(NATIONAL, numbered("850730", serial, 20)).value}

    assert months == {*range(13), *range(20, 33), *range(40, 53)}
    assert serials == set(range(1, 999))


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
marks, many = "\\u0300\\u0316" * 100_000, 70_000
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
