"""The answer in every language: tagged, its text extractable, complete by Art. 15, in no other language."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

from answers.answer_samples import COMPANIES, GROUPS, LONG_NOTE, an_answer
from documents.test_receipt import tags_of, text_of
from sluice.agreement.contract.eligibility import traits_of, why_not
from sluice.agreement.folder.load import load_contract
from sluice.answers.labels import group_name, label_of
from sluice.answers.model import NOT_HERE, AnswerKind, FieldLine
from sluice.answers.page import make_answer_page
from sluice.answers.select import META
from sluice.documents.pdf import make_pdf
from sluice.documents.words import LANGUAGES, words
from sluice.results.model import CANONICAL_COLUMNS
from sluice.rights.letters.document import spoken
from sluice.settings import Settings
from sluice.terms import FieldGroup
from support.golden import same_as_golden

MOST_PAGES = 12
TELECOM = ("telecom01/subscriber_base.inbound.odcs.yaml", "telco01/telco_churn.inbound.odcs.yaml")


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
    missing = [word for word in spoken(page) if flat(word) not in text]
    assert [word for word in missing if len(word) < 300] == []
    assert make_pdf(page, facts.made_at) == pdf, "the same bytes every time"
    assert len(reader.pages) <= MOST_PAGES
    record_property(f"answer {kind} {language} {'long' if is_long else 'short'}", f"{len(reader.pages)} pages, tagged")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_letter_is_the_one_that_was_looked_at(language: str) -> None:
    """Everything Art. 15 asks stands in it, recipients by name (C-154/21), and in no other language."""
    for kind, is_long in ((AnswerKind.ACCESS, False), (AnswerKind.ACCESS, True), (AnswerKind.PORTABILITY, False)):
        text = "\n".join(spoken(make_answer_page(an_answer(language, kind, is_long=is_long))))
        name = f"{kind}{'.long' if is_long else ''}.{language}.txt"
        same_as_golden(Path(__file__).parent / "golden" / name, text.replace(LONG_NOTE, "(a long story)") + "\n")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_another_file_does_have_is_not_said_to_be_missing(language: str) -> None:
    facts = an_answer(language)
    name = next(iter(GROUPS[FieldGroup.AGENT_REF]))
    empty = FieldLine("energy01", "center", "energy01.outbound_return.x", name, "agent_ref", False, NOT_HERE)
    missing = words(language).say(f"answer.reason.{NOT_HERE}", company=COMPANIES[0])

    def told(*lines: FieldLine) -> str:
        selected = replace(facts.selected, fields=lines)
        return " ".join(spoken(make_answer_page(replace(facts, selected=selected))))

    assert missing not in told(*facts.selected.fields, empty), "it stands above"
    assert missing in told(empty) and missing in told(*facts.selected.fields, replace(empty, name="z"))


def test_what_a_subscriber_takes_along_has_words() -> None:
    for language in LANGUAGES:
        say = words(language)
        papers = [Settings().principals_dir / name for name in TELECOM]
        taken = [role for path in papers for role in load_contract(path).fields if why_not(traits_of(role)) is None]

        assert len(taken) > 15
        assert [role.name for role in taken if f"({role.name})" in label_of(say, role.name, role)] == []


def test_groups_and_canonical_columns_have_words() -> None:
    for language in LANGUAGES:
        say = words(language)
        assert [group for group in FieldGroup if " " not in group_name(say, group)] == []
        assert [name for name in CANONICAL_COLUMNS if label_of(say, name, None) == name] == []
        assert [name for columns in GROUPS.values() for name in columns if label_of(say, name, None) == name] == []
        assert not {name for name in META if say.find(f"field.{name}")}
