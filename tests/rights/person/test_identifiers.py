"""Identifiers of one person are read one by one, those of a batch column by column: with the same answers."""

from hypothesis import given
from hypothesis import strategies as st

from sluice.rights.person.identifiers import FEW, NOBODY, Identifier, refs_of, values_of
from sluice.subject.key import SubjectKey
from sluice.terms import Principal, SubjectKind

KEY = SubjectKey(bytes(range(32)))
spelled = st.one_of(
    st.integers(0, 10**8 - 1).map("+324{:08d}".format),
    st.integers(0, 10**8 - 1).map("04{:08d}".format),
    st.sampled_from(["0032 470 12 34 56", "jan.claes@post.example", " Jan.Claes@POST.example", "C-17", "n/a", "0", ""]),
    st.text(max_size=12),
)
PRINCIPAL = Principal("energy01")
owners = st.sampled_from([None, PRINCIPAL, Principal("gas01"), NOBODY])
identifiers = st.builds(Identifier, st.sampled_from(list(SubjectKind)), spelled, owners)
OTHERS = tuple(Identifier(SubjectKind.PHONE, f"+3247011{number:04d}") for number in range(FEW + 1))


@given(st.lists(identifiers, min_size=1, max_size=FEW))
def test_a_few_get_the_references_and_forms_that_they_get_in_a_batch(few: list[Identifier]) -> None:
    many = [*few, *OTHERS]

    assert refs_of(few, KEY, PRINCIPAL) == {
        place: ref for place, ref in refs_of(many, KEY, PRINCIPAL).items() if place < len(few)
    }
    assert {*values_of(few, KEY, PRINCIPAL), *values_of(OTHERS, KEY, PRINCIPAL)} == set(values_of(many, KEY, PRINCIPAL))
    assert set(refs_of(OTHERS, KEY, PRINCIPAL)) == set(range(len(OTHERS))), (
        "others are read column by column, and have references"
    )
