"""References are keyed, equal in both implementations, and tell nothing without the key."""

import hashlib

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from sluice.subject.columns import normalise_column
from sluice.subject.key import SubjectKey
from sluice.subject.refs import ref_column, refer, subject_ref
from sluice.terms import CustomerIdIgnores, SubjectKind
from subject.plans import spellings

KEY = SubjectKey(bytes(range(32)))
OTHER_KEY = SubjectKey(bytes(range(1, 33)))
keys = st.binary(min_size=32, max_size=32).map(SubjectKey)
kinds = st.sampled_from(list(SubjectKind))


@given(keys, kinds, st.lists(st.one_of(st.text(), st.none())))
def test_the_column_equals_the_reference_of_every_row(key, kind, normals):
    column = ref_column(pl.Series("n", normals, dtype=pl.String), kind, key)

    assert column.to_list() == [None if normal is None else subject_ref(key, kind, normal) for normal in normals]


@given(keys, kinds, st.text())
def test_a_reference_is_the_first_half_of_the_hmac_of_rfc_2104(key, kind, normal):
    block = key.hex().encode()
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + f"{kind.value}\x1f{normal}".encode()).digest()
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).hexdigest()

    assert subject_ref(key, kind, normal) == outer[:32]


def test_the_rule_of_a_customer_number_decides_which_spellings_are_one():
    loose = SubjectKey(KEY, CustomerIdIgnores)
    kind = SubjectKind.PRINCIPAL_CUSTOMER_ID

    assert refer(loose, kind, "00AB12").ref == subject_ref(KEY, kind, "ab12")
    assert refer(KEY, kind, "00AB12").ref == subject_ref(KEY, kind, "00AB12")


def test_one_person_has_one_reference_in_every_spelling_and_two_persons_have_two():
    one = {refer(KEY, SubjectKind.PHONE, text).ref for text in spellings("+32475123456", "BE")}
    other = {refer(KEY, SubjectKind.PHONE, text).ref for text in spellings("+32475123457", "BE")}

    assert len(one) == len(other) == 1
    assert one != other


def test_one_value_has_another_reference_per_kind_and_per_key():
    refs = {subject_ref(key, kind, "123") for key in (KEY, OTHER_KEY) for kind in SubjectKind}

    assert len(refs) == 2 * len(SubjectKind)


def test_a_thousand_known_numbers_match_no_reference_without_the_key():
    numbers = [f"+324751{tail:05}" for tail in range(1000)]
    refs = set(ref_column(pl.Series(numbers), SubjectKind.PHONE, KEY))
    hashes = [
        name(text.encode()).hexdigest()
        for number in numbers
        for text in spellings(number, "BE")
        for name in (hashlib.md5, hashlib.sha1, hashlib.sha256)
    ]

    assert not refs & {digest[:32] for digest in hashes}
    unkeyed = {hashlib.sha256(number.encode()).hexdigest()[:32] for number in numbers}
    assert len(unkeyed & {digest[:32] for digest in hashes}) == 1000, "the control must be found"


def test_the_key_is_in_no_repr_and_no_plan():
    normal = normalise_column(pl.Series("p", ["0475123456"]), SubjectKind.PHONE).values
    refs = ref_column(normal, SubjectKind.PHONE, KEY)
    plan = refs.to_frame().lazy().explain()

    assert all(KEY.hex() not in text for text in (repr(refs), plan, repr(normal)))


def test_a_value_without_normal_form_gets_a_reason_instead_of_a_reference():
    assert refer(KEY, SubjectKind.PHONE, "4.75E+08").ref is None
    assert refer(KEY, SubjectKind.PHONE, "4.75E+08").reason == "invalid"
