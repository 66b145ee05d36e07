"""What was read in place of a number, a day, true or false or a text, and what would be right."""

from datetime import date, datetime

import pytest

from agreement.papers import CONTRACT_NAME, write_folder
from sluice.agreement.folder.lint import lint_as
from sluice.agreement.written import (
    instead_of_day,
    instead_of_flag,
    instead_of_list,
    instead_of_number,
    instead_of_text,
)


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("0,1", "write 0.1"), ("0.1", "no quotes, write 0.1"), (" 0,25 ", "write 0.25"), ("5", "no quotes, write 5"),
        ("10%", "write 0.1"), ("10 %", "write 0.1"), ("2,5%", "write 0.025"), ("-0,5", "write -0.5"),
        ("24h", "no unit, write 24"), ("24 uur", "no unit, write 24"), ("1.000.000", "write 1000000"),
        ("1 000", "write 1000"),
    ],
)  # fmt: skip
def test_a_number_as_people_write_it_here(written: str, right: str) -> None:
    told = instead_of_number(written, most=1)
    assert told.startswith("read as a text: ") and told.endswith(right)


def test_a_percentage_is_a_share_only_where_at_most_one_is_allowed_and_hours_are_whole() -> None:
    assert instead_of_number("90%", most=100).endswith("write 90")
    assert instead_of_number(72.0, whole=True) == "read as a number: write 72"
    assert instead_of_number(72.5, whole=True) == "read as a number: no decimals"
    assert instead_of_number("72", whole=True) == "read as a text: write 72"


@pytest.mark.parametrize("value", ["soon", "0470123456", "jan@example.be", "0470/12.34.56", "12.34.56-789.01", ""])
def test_what_may_be_a_persons_is_not_repeated(value: str) -> None:
    for instead in (instead_of_number, instead_of_day, instead_of_flag, instead_of_text, instead_of_list):
        told = instead(value)
        assert told.startswith("read as a text") and (not value or value not in told)
    assert instead_of_number("0470123") != "read as a text", "control: a short number is told"


@pytest.mark.parametrize(
    "written", ["31/12/2026", "31-12-2026", "31.12.2026", "2026/12/31", "20261231", 20261231, "2026-12-31",
                datetime(2026, 12, 31, 8, 30)],
)  # fmt: skip
def test_a_day_as_people_write_it_here(written: object) -> None:
    assert instead_of_day(written).endswith("write 2026-12-31")


def test_a_day_that_does_not_exist_or_has_a_short_year_is_told() -> None:
    assert "there is no such day" in instead_of_day("31/11/2026")
    assert "four digits" in instead_of_day("31/12/26")
    assert instead_of_day("next year") == "read as a text"


@pytest.mark.parametrize(
    ("written", "right"),
    [("ja", "true"), ("Ja", "true"), ("nee", "false"), ("oui", "true"), ("non", "false"), ("true", "true"), (1, "true"),
     (0, "false"), ("waar", "true"), ("faux", "false")],
)  # fmt: skip
def test_yes_and_no_as_people_write_it_here(written: object, right: str) -> None:
    assert instead_of_flag(written).endswith(f"write {right}")


def test_what_yaml_takes_for_something_else_goes_in_quotes() -> None:
    assert instead_of_text(False).endswith("put it in quotes") and "NO" in instead_of_text(False)
    assert instead_of_text(1.0) == "read as a number: put it in quotes"
    assert instead_of_text(date(2026, 1, 1)) == "read as a day: put it in quotes"


AGREEMENTS = [
    ("forwardHours: 24", 'forwardHours: "24"', "a whole number; read as a text: write 24"),
    ("forwardHours: 24", "forwardHours: 24 uur", "a whole number; read as a text: no unit, write 24"),
    ("minimumExamScore: 90", "minimumExamScore: 90%", "read as a text: no percent sign, write 90"),
    ("validFrom: 2026-01-01", "validFrom: 01/01/2026", "read as a text: write 2026-01-01"),
    ("validFrom: 2026-01-01", 'validFrom: "2026-01-01"', "read as a text: no quotes, write 2026-01-01"),
    ("present: false", "present: nee", "true or false; read as a text: write false"),
    ("countries: [NL]", "countries: [NO]", "read as true or false: YAML takes NO"),
    ("recipients: []", "recipients: nobody", "a list; read as a text: write it as a list"),
    ("language: nl", "language: NL", "one of nl, fr, en, de; perhaps nl"),
]
CONTRACTS = [
    ("maxRefusedShare, value: 0.1", "maxRefusedShare, value: '0,1'",
     "maxRefusedShare: a number; read as a text: a decimal point, no comma: write 0.1"),
    ("maxRefusedShare, value: 0.1", "maxRefusedShare, value: 10", "from 0 to 1; 10 in a hundred is 0.1"),
    ("maxRefusedShare, value: 0.1", "maxRefusedShare, value: 10%", "write 0.1"),
    ("mustBe: 0", "mustBe: '0'", "quality[0].mustBe - read as a text: no quotes, write 0"),
    ("\ncustomProperties:", "\ncustomProperties:\n  - {property: validFrom, value: 31/12/2026}", "write 2026-12-31"),
    ("required: true", "required: ja", "true or false; read as a text: write true"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "prefix", "right", "wrong", "told"),
    [("agreement-3.0.0.yaml", "AGR", *each) for each in AGREEMENTS]
    + [(CONTRACT_NAME, "CON", *each) for each in CONTRACTS],
)
def test_papers_say_what_was_read_and_what_would_be_right(tmp_path, name, prefix, right, wrong, told):
    write_folder(tmp_path)
    [path] = tmp_path.rglob(name)
    sound = path.read_text(encoding="utf-8")
    assert right in sound
    control = [problem.message for problem in lint_as(path, prefix)]  # type: ignore[arg-type]
    path.write_text(sound.replace(right, wrong, 1), encoding="utf-8")
    found = [problem.message for problem in lint_as(path, prefix)]  # type: ignore[arg-type]
    assert [message for message in found if told in message] and not [each for each in control if told in each]
    assert len([message for message in found if "read as" in message]) <= 1, "told once"
