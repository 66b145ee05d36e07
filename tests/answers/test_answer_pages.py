"""The answer in every language: tagged, its text extractable, complete by Art. 15, in no other language."""

import io
from collections.abc import Callable

import pytest
from pypdf import PdfReader

from answers.answer_samples import GROUPS, an_answer
from documents.test_receipt import tags_of, text_of
from sluice.answers.labels import group_name, label_of
from sluice.answers.model import AnswerKind
from sluice.answers.page import make_answer_page
from sluice.answers.select import META
from sluice.documents.pdf import make_pdf
from sluice.documents.words import LANGUAGES, words
from sluice.results.model import CANONICAL_COLUMNS
from sluice.rights.erase_stores import STORES
from sluice.rights.letter_document import spoken
from sluice.terms import FieldGroup

MOST_PAGES = 12


def flat(text: str) -> str:
    return "".join(text.split())


@pytest.mark.evidence
@pytest.mark.parametrize("kind", AnswerKind)
@pytest.mark.parametrize("is_long", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_letter_is_tagged_and_every_word_of_it_can_be_read(
    language: str, is_long: bool, kind: AnswerKind, record_property: Callable[[str, object], None]
) -> None:
    facts = an_answer(language, kind, is_long=is_long)
    page = make_answer_page(facts)

    pdf = make_pdf(page, facts.made_at)

    reader, text = PdfReader(io.BytesIO(pdf)), flat(text_of(pdf))
    tags, _ = tags_of(pdf)
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"] is not None
    assert reader.trailer["/Root"]["/Lang"].startswith(language)
    assert {"/H1", "/H2", "/P", "/Table", "/TR", "/TH", "/TD"} <= tags
    missing = [word for word in spoken(page) if flat(word).replace("\u200b", "") not in text.replace("\u200b", "")]
    assert [word for word in missing if len(word) < 300] == []
    assert make_pdf(page, facts.made_at) == pdf, "the same bytes every time"
    assert len(reader.pages) <= MOST_PAGES
    record_property(f"answer {kind} {language} {'long' if is_long else 'short'}", f"{len(reader.pages)} pages, tagged")


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_art_15_asks_stands_in_it(language: str) -> None:
    say, text = words(language), " ".join(spoken(make_answer_page(an_answer(language, is_long=True))))
    asked = ("purposes", "categories", "recipients", "kept", "sources", "derived", "transfers")
    assert [name for name in asked if say.say(f"answer.about.{name}") not in text] == []
    for name in ("answer.rights.text", "remedies.be.complaint", "remedies.be.court", "answer.withheld.reason"):
        assert say.say(name) in text
    assert "Print & Post NV" in text and "Object Store BV" in text, "by name (C-154/21)"
    assert [store.name for store in STORES if say.say(f"answer.store.{store.name}") not in text] == []
    assert "0475 11 22 33" in text and "{" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_groups_and_canonical_columns_have_words(language: str) -> None:
    say = words(language)
    assert [group for group in FieldGroup if " " not in group_name(say, group)] == []
    assert [name for name in CANONICAL_COLUMNS if label_of(say, name, None) == name] == []
    assert [name for columns in GROUPS.values() for name in columns if label_of(say, name, None) == name] == []
    assert not {name for name in META if say.find(f"field.{name}")}
