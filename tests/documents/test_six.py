"""Each of the six answers comes from its own part of the record; what they say is in golden/ (test_pages.py)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from documents.return_samples import SCREENING, a_dial_list, a_return
from documents.samples import PD
from documents.test_pages import RECORDS
from sluice.documents.model import Answer
from sluice.documents.six import dialect_found, parts_played, six_answers
from sluice.documents.special import which_special
from sluice.documents.words import words
from sluice.exchange.describe import ANSWERS
from sluice.ledger.record import ExchangeRecord, read_end, said_of_end
from sluice.terms import Decision

ACCEPTED = RECORDS["accepted"]


def english(record: ExchangeRecord, **more: Any) -> dict[str, Answer]:
    return {answer.name: answer for answer in six_answers(words("en"), record, **more)}


def changed(record: ExchangeRecord, part: str, **fields: Any) -> ExchangeRecord:
    """A record of which one part says something else."""
    return record.model_copy(update={part: getattr(record, part).model_copy(update=fields)})


@pytest.mark.parametrize("end", [("return", 0), ("delete", 30)])
def test_what_a_record_says_of_the_end_of_a_contract_is_read_as_it_was_meant(end: tuple[str, int]) -> None:
    assert read_end(said_of_end(*end)) == end
    assert said_of_end("delete", 30) == "delete within 30 days"
    assert read_end("keep within 30 days") is None, "control"


OTHERS = {
    "why": {"instruction_ref": "INS-2026-044"},
    "what": {"distinct_subjects": 3},
    "how_long": {"copies": ()},
    "who": {"countries": ("FR",)},
    "how": {"contract_version": "9.9.9"},
    "right_treatment": {"held_back": {"objected": 88}},
}


@pytest.mark.parametrize("part", ANSWERS)
def test_each_answer_comes_from_its_own_part_of_the_record(part: str) -> None:
    before, after = english(ACCEPTED), english(changed(ACCEPTED, part, **OTHERS[part]))
    assert [name for name in ANSWERS if before[name] != after[name]] == [part]


def test_roles_flip_in_a_return_alone() -> None:
    assert [each.flips for each in parts_played(words("nl"), a_return())].count(True) == 1
    assert not any(each.flips for each in parts_played(words("nl"), ACCEPTED)), "the control"


def test_of_what_was_not_sent_nobody_is_named_as_recipient() -> None:
    refused = a_return(Decision.REFUSED, held={}, rows=(0, 0, 0), sha256=None, columns=())
    assert english(refused)["who"].bold == "Nothing went to energy01"
    assert english(refused)["what"].bold == "No file was made"
    assert english(a_dial_list())["what"].bold.startswith("3 rows")


def test_what_was_removed_since_is_not_kept_until_a_day() -> None:
    gone = datetime(2026, 12, 1, 23, 30, tzinfo=UTC)
    kinds = [copy.kind for copy in ACCEPTED.how_long.copies]
    some = english(ACCEPTED, gone={kinds[1]: gone})["how_long"]
    assert (some.bold, "1 removed already" in some.line) == ("Until 25 December 2026", True)
    assert english(ACCEPTED, gone=dict.fromkeys(kinds, gone))["how_long"].bold == "Removed on 2 December 2026"


def test_special_categories_are_named_or_said_to_be_declared() -> None:
    say, special = words("en"), frozenset({f"{PD}Health"})
    declared = changed(ACCEPTED, "what", special_categories=True)
    assert which_special(say, declared, special) == "declared in the agreement"
    column = declared.what.columns[0].model_copy(update={"category": f"{PD}Health"})
    marked = declared.what.columns[1].model_copy(update={"sensitivity": "special_category"})
    assert which_special(say, changed(declared, "what", columns=(marked,))) == marked.name, "as its contract says"
    screened = SCREENING.model_copy(update={"found": {"health": 4, "iban": 2, "belief": 0}})
    named = changed(changed(declared, "what", columns=(column,)), "how", screening=screened)
    assert which_special(say, named, special) == f"{column.name} · health (in notes)"
    assert "special categories: declared" in english(declared)["what"].line


def test_a_delimiter_that_cannot_be_seen_has_a_word() -> None:
    found = changed(ACCEPTED, "how", dialect={"encoding": "utf-16-le", "bom": True, "delimiter": "\t"}, airflow={})
    assert dialect_found(words("nl"), found) == ("UTF-16-LE BOM", "tab")
    assert english(found)["how"].proof.words == "UTF-16-LE BOM · delimiter tab · by command, not by Airflow"


@pytest.mark.parametrize(("count", "said"), [(999, "999 bytes"), (4_800_000, "4.8 MB"), (73_400_000_000, "73.4 GB")])
def test_a_size_is_told_in_the_unit_that_fits(count: int, said: str) -> None:
    assert f" · {said} · " in english(changed(ACCEPTED, "what", size_bytes=count))["what"].line
