"""What a cell of a document holds stands on its pages whole, however long it is and in whatever letters."""

import io
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from sluice.documents.model import Grid, LetterPage, Pair, Part, Text
from sluice.documents.pdf import make_pdf

MADE_AT = datetime(2026, 11, 30, tzinfo=UTC)
BOTTOM, RIGHT = 50, 595
"""Where the footer of a letter begins, and the right edge of the paper, in points."""
NARROWEST = 0.4
"""The width of a usual letter is at least this share of the size of the type."""


def set_in(value: str, label: str = "Telefoon", *, is_fact: bool = False) -> PdfReader:
    """A letter with the value in a table, or as a fact, between two others."""
    rows = ((Text(label), Text(value)), (Text("Einde"), Text("NA-ALLES")))
    facts = tuple(Pair(name.words, said) for name, said in rows)
    grid = Grid(("Gegeven", "Inhoud"), rows, (1.0, 2.3))
    part = Part("Uw gegevens", facts=facts) if is_fact else Part("Uw gegevens", table=grid)
    page = LetterPage(
        case="c", lang="nl", region="BE", title="Antwoord", subject="c", sender=("Center NV",), references=(),
        greeting="Dag", opening=("Hierbij.",), notices=(), parts=(part,), closing="Groeten", signature="Center NV",
        footer="@page/@pages",
    )  # fmt: skip
    return PdfReader(io.BytesIO(make_pdf(page, MADE_AT)))


def placed(reader: PdfReader) -> list[tuple[float, float, float, str]]:
    """Where each run of text stands: left edge, least right edge, base line, text."""
    found: list[tuple[float, float, float, str]] = []

    def note(text: str, cm: list[float], tm: list[float], font: object, size: float) -> None:
        if text.strip():
            x = cm[0] * tm[4] + cm[2] * tm[5] + cm[4]
            found.append(
                (x, x + NARROWEST * size * len(text.strip()), cm[1] * tm[4] + cm[3] * tm[5] + cm[5], text.strip())
            )

    for page in reader.pages:
        page.extract_text(visitor_text=note)
    return found


def squeezed(reader: PdfReader) -> str:
    return "".join("".join(page.extract_text().split()) for page in reader.pages)


NOTES = "; ".join(f"nota{at} " + "woord " * 95 + f"einde{at}" for at in range(6))
ARABIC = "\u0645\u0631\u062d\u0628\u0627 " * 100 + "einde5"


@pytest.mark.parametrize("is_fact", [False, True], ids=["table", "fact"])
@pytest.mark.parametrize(
    "value", [NOTES, ARABIC, "\N{GRINNING FACE}" * 600 + " einde5"], ids=["notes", "arabic", "signs"]
)
def test_a_long_cell_goes_on_on_the_next_page(value: str, is_fact: bool) -> None:
    reader = set_in(value, is_fact=is_fact)
    texts = placed(reader)
    assert [text for _, _, y, text in texts if y < BOTTOM and "/" not in text] == [], "nothing runs off the paper"
    assert "einde5" in squeezed(reader) and "NA-ALLES" in squeezed(reader)
    assert all(len(page.extract_text()) > 200 for page in list(reader.pages)[:-1]), "no page is left nearly empty"


def test_a_row_of_usual_length_stays_on_one_page() -> None:
    short = set_in("een woord " * 20)
    assert len(short.pages) == 1


@pytest.mark.parametrize("is_fact", [False, True], ids=["table", "fact"])
@pytest.mark.parametrize(
    "value", ["a1b2c3d4" * 30, "customer_preferred_contact_moment_" * 4, "DPA-" + "x" * 96], ids=["token", "name", "id"]
)
def test_a_value_without_spaces_is_broken_and_stays_on_the_paper(value: str, is_fact: bool) -> None:
    reader = set_in(value, is_fact=is_fact)
    assert [text for _, right, _, text in placed(reader) if right > RIGHT] == []
    assert value in squeezed(reader), "nothing is put in where it is broken"


@pytest.mark.parametrize(
    "label", ["customer_preferred_contact_moment_of_day", "customerPreferredContactMomentOfTheDay"]
)
def test_a_long_name_of_a_column_does_not_run_into_its_value(label: str) -> None:
    texts = placed(set_in("overdag", label))
    [beside] = [x for x, _, _, text in texts if text == "overdag"]
    own = [(right, text) for x, right, _, text in texts if x < beside and text in label]
    assert own and [text for right, text in own if right > beside] == []
