"""One spelling of a name: what looks the same, or differs by nothing that is seen, is one person."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.errors import UsageError
from sluice.ledger.names import FORM, NameInvalid, check_name, is_name, is_same_person

NAMES = st.from_regex(r"[a-zA-Z0-9À-ÖØ-öø-į][a-zA-Z0-9À-ÖØ-öø-į ._@+'-]{0,40}", fullmatch=True)


@given(NAMES, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]), st.sampled_from([str.upper, str.lower, str.swapcase]))
def test_a_name_in_another_spelling_is_the_same_person_and_kept_alike(name: str, form, case) -> None:
    other = f"  {unicodedata.normalize(form, name)} ".replace(" ", "\u00a0 ")

    assert check_name(other) == check_name(name) == check_name(check_name(name))
    assert is_same_person(case(name), other)


@given(NAMES, NAMES)
def test_other_letters_are_another_person(name: str, other: str) -> None:
    assert not is_same_person(name, f"{name}{other}")


UNSEEN = ("\u200b", "\u2063", "\ufeff", "\x00", "\n", "\t", "\x85", "\u2028", "\u2029", "\x1b", "\xad", "\u202e")
SEEN_AS_OTHERS = ("\u0430", "\u03bf", "\u0251", "\u0261", "\u01c0", "\u1d00", "<", '"')


@given(NAMES, st.integers(0, 40), st.sampled_from([*UNSEEN, *SEEN_AS_OTHERS]))
def test_what_is_not_seen_or_seen_as_another_letter_is_refused(name: str, at: int, letter: str) -> None:
    with pytest.raises(UsageError, match="--by"):
        check_name(name[:at] + letter + name[at:])


@pytest.mark.parametrize(
    "name",
    [
        "O\u2019Brien",
        "CORP\\anna",
        "auth0|12",
        "Maes, An (NL)",
        "anna/maes",
        "Gal·la",
        "uid 50000",
        "Łukasz",
        "İpek",
        "Élodie Maes",
        "Öz Yilmaz",
        "Þóra",
        "Ərəş",
        "Nguyễn Đức",
        "Großmann",
        "\u0131rmak",
    ],
)
def test_names_as_people_and_directories_have_them_are_kept(name: str) -> None:
    assert check_name(name).replace("'", "\u2019") == name.replace("'", "\u2019")
    assert is_name(name) and is_same_person(name, name.replace("\u2019", "'"))


def test_a_refusal_says_what_a_name_is_and_not_what_was_typed() -> None:
    with pytest.raises(NameInvalid) as refused:
        check_name("Anna \u041caes")

    assert (refused.value.code, int(refused.value.exit)) == ("SLU-308", 2)
    assert FORM in str(refused.value) and "option --by" in str(refused.value) and "Anna" not in str(refused.value)
    assert all(is_name(f"a{sign}") for sign in FORM.rpartition(" and ")[2].split()), "what it names is taken"


@pytest.mark.parametrize("kept", ["Anna \u041caes", "\u0410nna Maes", "ann\u0251 maes", "Ann\u03b1 M\u0430es"])
def test_a_name_that_was_kept_before_is_that_of_whoever_it_looks_like(kept: str) -> None:
    assert is_same_person(kept, "Anna Maes") and is_same_person("ANNA MAES", kept)
    assert not is_same_person(kept, "Bert Maes") and not is_same_person(kept, "Anna Maesen"), "the controls"


@pytest.mark.parametrize(("one", "other"), [("\u0110uro", "\u00d0uro"), ("IRMAK", "\u0131rmak"), ("IRMAK", "irmak")])
def test_letters_that_share_a_capital_make_no_second_person(one: str, other: str) -> None:
    assert is_same_person(one, other)


def test_nothing_and_too_much_are_no_names() -> None:
    for none in ("", "  ", ".anna", "a" * 101):
        with pytest.raises(UsageError):
            check_name(none)
