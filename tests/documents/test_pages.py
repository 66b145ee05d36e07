"""What pages of receipts and the six answers say, whole, in three languages: see golden/, and read the difference."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from documents.return_samples import a_dial_list, a_return, some_results
from documents.samples import a_record, a_refusal_without_paper, an_entry
from sluice.documents.page import make_page
from sluice.documents.six import six_answers
from sluice.documents.words import LANGUAGES, words
from sluice.ledger.record import ExchangeRecord
from sluice.terms import Decision
from support.golden import same_as_golden

RUN = {"dag_id": "inbound_energy01", "run_id": "r1", "task_id": "drain", "try_number": "2"}
RECORDS = {
    "arrival": a_record(),
    "accepted": a_record(Decision.ACCEPTED, rows=(41188, 41188, 0), reasons=(), airflow=RUN),
    "undecided": a_record(Decision.UNDECIDED, rows=(0, 0, 0)),
    "no-paper": a_refusal_without_paper(),
    "held": a_record(held={"erased": 2, "objected": 12}),
    "return": a_return(),
    "refused-return": a_return(Decision.REFUSED, held={}, rows=(0, 0, 0), sha256=None, inputs=(), columns=()),
    "results": some_results(),
    "dial-list": a_dial_list(),
}


def lines(said: object, place: str = "") -> Iterator[str]:
    """Whatever a page says, a line each, with its place."""
    if isinstance(said, dict):
        for name, inner in said.items():
            yield from lines(inner, f"{place}.{name}" if place else name)
    elif isinstance(said, list | tuple):
        for number, inner in enumerate(said):
            yield from lines(inner, f"{place}[{number}]")
    elif said is not None and said is not False and said != "":
        yield f"{place}: {said}\n"


def told(record: ExchangeRecord, language: str) -> str:
    page = make_page(record, an_entry(record), "key", language)
    whole = {
        "answers": [asdict(answer) for answer in six_answers(words(language), record)],
        **(asdict(page) | {"sections": asdict(page.sections[0])}),
    }
    return "".join(lines(whole))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", RECORDS)
def test_a_page_says_what_it_said(name: str, language: str) -> None:
    same_as_golden(Path(__file__).with_name("golden") / f"{name}.{language}.txt", told(RECORDS[name], language))
