"""The vector versions say exactly what ``normalise`` says."""

from collections.abc import Sequence

import phonenumbers
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.subject.columns import FEW, _at_vector_speed, _ordinary_forms, normalise_column
from sluice.subject.model import NoRef
from sluice.subject.normalise import normalise
from sluice.terms import SubjectKind
from subject.plans import REGIONS, phones, spellings
from subject.test_normalise import numbered
from support.effort import chosen, effort


def assert_equal_to_normalise(values: Sequence[str | None], kind: SubjectKind, region: str = "BE") -> None:
    """However long the column is."""
    one_by_one, given = [normalise(kind, value, region=region) for value in values], pl.Series("c", values, pl.String)

    for column in (normalise_column(given, kind, region=region), _at_vector_speed(given, kind, region)):
        assert column.values.to_list() == [form.value for form in one_by_one]
        assert column.invalid.to_list() == [form.reason is NoRef.INVALID for form in one_by_one]
        assert column.values.name == column.invalid.name == "c"


@pytest.mark.slow
@settings(max_examples=effort(40, 100))
@given(st.lists(phones(), min_size=1, max_size=8), st.sampled_from(REGIONS))
def test_phone_numbers_of_five_plans_in_a_file_of_any_region(found, region):
    values = [text for number, home in found for text in spellings(number, home)]

    assert_equal_to_normalise(values, SubjectKind.PHONE, region)


@pytest.mark.slow
@pytest.mark.parametrize("region", chosen(REGIONS, 3))
def test_every_prefix_and_length_of_the_number_plan(region):
    code = phonenumbers.country_code_for_region(region)
    national = [f"{prefix:03}{'5219834765'[:more]}" for prefix in range(1000) for more in range(3, 10)]

    assert_equal_to_normalise([f"0{number}" for number in national], SubjectKind.PHONE, region)
    assert_equal_to_normalise([f"+{code}{number}" for number in national], SubjectKind.PHONE, region)
    assert_equal_to_normalise([f"{code}{number}" for number in national[::3]], SubjectKind.PHONE, region)
    assert_equal_to_normalise(national[::3], SubjectKind.PHONE, region)


@pytest.mark.slow
def test_phone_numbers_in_a_file_of_any_region_of_the_world():
    """Where 00 is not dialled before a country code, where the code is shared, where 0 is part of the number."""
    neighbours = [text for region in REGIONS for text in dialled(region)]

    for region in [*chosen(sorted(phonenumbers.SUPPORTED_REGIONS), 60), "XX"]:
        assert_equal_to_normalise([*neighbours, *dialled(region)], SubjectKind.PHONE, region)


def dialled(region: str) -> list[str]:
    """Examples of a region with what people dial before them; not all of it right."""
    code = str(phonenumbers.country_code_for_region(region))
    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
    known = filter(None, (phonenumbers.example_number_for_type(region, kind) for kind in kinds))
    national = [phonenumbers.national_significant_number(number) for number in known]
    return [
        f"{before}{number}" for before in ("", "0", code, f"+{code}", f"+{code}0", f"00{code}") for number in national
    ]


NEARLY = {
    SubjectKind.PHONE: st.text("0123459+()./- ²x.E\u00a0\u202f٤", max_size=18),
    SubjectKind.EMAIL: st.builds("{}@{}".format, st.text("aZé.+-_ß ", max_size=9), st.text("aB-.xn8é ", max_size=12)),
    SubjectKind.IBAN: st.builds(
        "{}{}".format, st.sampled_from(["BE", "be", "NL", "FR"]), st.text("0123456789 -", max_size=20)
    ),
    SubjectKind.NATIONAL_NUMBER: st.text("0123456789.- ", min_size=9, max_size=15),
    SubjectKind.PRINCIPAL_CUSTOMER_ID: st.text("0019aA-. é\x00\u00a0", max_size=9),
}


@pytest.mark.slow
@given(st.data(), st.sampled_from(list(SubjectKind)), st.sampled_from(REGIONS))
def test_garbage_and_near_misses_of_every_kind(data, kind, region):
    values = data.draw(st.lists(st.one_of(NEARLY[kind], st.text(), st.none()), max_size=25))

    assert_equal_to_normalise(values, kind, region)


FLOATS = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["", " ", "\u00a0", "'"]),
    st.sampled_from(["", "+", "0", "+32475", "32475", "0475"]),
    st.text("0123456789", min_size=2, max_size=10),
    st.sampled_from([".0", ".00", ".000", ",0", ".5", ".12"]),
    st.sampled_from(["", " "]),
)
"""Numbers as a spreadsheet or a data frame with a missing cell writes them; some of them lost a digit."""


@pytest.mark.slow
@given(st.lists(FLOATS, min_size=1, max_size=50), st.sampled_from([SubjectKind.PHONE, SubjectKind.NATIONAL_NUMBER]))
def test_the_point_of_a_float_is_no_separator(values, kind):
    assert_equal_to_normalise(values, kind)


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 60), st.integers(0, 31), st.integers(0, 999)), min_size=1))
def test_national_numbers_of_both_centuries(parts):
    values = [
        numbered(f"{year:02}{month:02}{day:02}", serial, century)
        for year, month, day, serial in parts
        for century in (19, 20)
    ]

    assert_equal_to_normalise(values, SubjectKind.NATIONAL_NUMBER)


@given(st.lists(st.integers(0, 10**12 - 1), min_size=1))
def test_belgian_account_numbers_right_and_wrong(accounts):
    right = [f"BE{98 - int(f'{account:012}111400') % 97:02}{account:012}" for account in accounts]
    wrong = [f"{iban[:-1]}{(int(iban[-1]) + 1) % 10}" for iban in right]

    assert_equal_to_normalise([*right, *wrong, *(iban.lower() for iban in right)], SubjectKind.IBAN)


ORDINARY = [
    (SubjectKind.PHONE, "BE", ["0475 12 34 56", "+32 (0)475/12.34.56", "003225551234", "32475123456"]),
    (SubjectKind.PHONE, "BE", ["32475123456.0", "475123456", "+33 6 12 34 56 78", "0031612345678"]),
    (SubjectKind.PHONE, "FR", ["06 12 34 56 78", "33612345678", "+32475123456"]),
    (SubjectKind.PHONE, "NL", ["0612345678", "+31 (0)6-12345678", "+4915112345678", "+352621123456"]),
    (SubjectKind.EMAIL, "BE", [" Jan.Peeters+x@Mail.Example", f"{'a' * 50}@mail.example", "a-b@c.d-e.be"]),
    (SubjectKind.IBAN, "BE", ["BE68 5390 0754 7034", "be68.5390-0754\u00a07034", "BE43068999999501"]),
    (SubjectKind.NATIONAL_NUMBER, "BE", ["85.07.30-033.28", numbered("850730", 998, 20)]),
    (SubjectKind.NATIONAL_NUMBER, "BE", [numbered("002031", 1, 19), numbered("995200", 1, 20)]),
    (SubjectKind.PRINCIPAL_CUSTOMER_ID, "BE", [" 00Ab-12", "1", "X 10~"]),
]


def test_the_vector_pass_reads_the_ordinary_spellings_itself_and_a_short_column_has_the_same_forms() -> None:
    for kind, region, values in ORDINARY:
        forms = _ordinary_forms(pl.Series("raw", values), kind, region).to_list()
        assert forms == [normalise(kind, value, region=region).value for value in values]
        assert None not in forms
        for length in (FEW, FEW + 1):
            assert_equal_to_normalise((values * length)[:length], kind, region)


EDGES = [
    (SubjectKind.EMAIL, ["jan@xn--bcher-kva.example", "mailto:jan@mail.example", "JAN@XN--BCHER-KVA.EXAMPLE"]),
    (SubjectKind.EMAIL, [f"{'a' * 51}@mail.example", f"{'a' * 64}@mail.example", f"{'a' * 65}@mail.example"]),
    (SubjectKind.EMAIL, [f"jan@{'a' * 63}.be", f"jan@{'a' * 64}.be", "jan@-a.be", "jan@a-.be", "jan@a.b", "jan@a.12"]),
    (SubjectKind.EMAIL, ["noreply@mail.example", "geen@geen.be", "geen@mail.example", "x@y.invalid", "invalid@y.be"]),
    (SubjectKind.IBAN, ["BE54000000000000", "BE00000000000000", "BE68539007547035", "NL91ABNA0417164300"]),
    (SubjectKind.IBAN, ["BE6853900754703", "BE685390075470340", "XBE68539007547034", "BE97539007547034"]),
    (SubjectKind.NATIONAL_NUMBER, ["11111111111", "00000000000", "99999999999", "85073003329", "8507300332"]),
    (SubjectKind.NATIONAL_NUMBER, [numbered(f"85{month:02}30", 33, 19) for month in range(60)]),
    (SubjectKind.NATIONAL_NUMBER, [numbered("850730", serial, 20) for serial in (0, 1, 2, 997, 998, 999)]),
    (SubjectKind.PRINCIPAL_CUSTOMER_ID, ["0", "000", "geen", "A", "A0", "0A", "é1", "1é", "1\x00", "\t1", "1\n"]),
    (SubjectKind.PHONE, ["0000000000", "0123456789", "+32112", "+32 112", "0475123456.7", "0475123456.00"]),
    (SubjectKind.PHONE, [" 3247512345.0", "3247512345.0 ", "\u00a00475123.4", "0475123.000", " 32475123456.0"]),
    (SubjectKind.NATIONAL_NUMBER, ["1052245409.0", "0121801329.0", " 1101272508.0", "85073003328.0", " 85073003328.0"]),
    (SubjectKind.PHONE, ["0032475123456", "00 33 6 12 34 56 78", "0031612345678.0", "00352621123456", "+32475123456"]),
    (SubjectKind.PHONE, ["047512345\u0666", "+3247512345\u0666", "061234567\u0668", "+3361234567\u0668"]),
    (SubjectKind.PHONE, ["+32 0 475123456", "+3200475123456", "32475", "+32 475 12 34 5", "04751234567"]),
]


@pytest.mark.parametrize("kind", SubjectKind)
def test_at_the_edges_of_what_the_vector_pass_reads_nothing_changes(kind: SubjectKind) -> None:
    values = [value for of, some in EDGES for value in some if of is kind]
    for region in (*REGIONS, "US"):
        assert_equal_to_normalise(values, kind, region)


def test_an_empty_column_and_a_column_of_nulls_have_no_forms_and_no_findings():
    assert_equal_to_normalise([], SubjectKind.PHONE)
    assert_equal_to_normalise([None, "", None], SubjectKind.EMAIL)


def test_a_column_keeps_its_name_and_its_order():
    values = pl.Series("phone", ["0475123456", "4.75E+08", None, "0476123456"])

    column = normalise_column(values, SubjectKind.PHONE)

    assert column.values.name == column.invalid.name == "phone"
    assert column.invalid.to_list() == [False, True, False, False]


def test_a_column_of_forms_shows_no_value_in_its_repr():
    assert "475" not in repr(normalise_column(pl.Series(["0475123456"]), SubjectKind.PHONE))
