"""The six answers say what the record says, in three languages, and each of them from its own part of the record."""

from datetime import UTC, datetime
from typing import Any

import pytest

from documents.return_samples import SCREENING, a_dial_list, a_return
from documents.samples import PD, a_record, a_refusal_without_paper
from sluice.documents.model import Answer
from sluice.documents.six import dialect_found, parts_played, six_answers
from sluice.documents.special import which_special
from sluice.documents.words import LANGUAGES, words
from sluice.exchange.describe import ANSWERS
from sluice.ledger.record import ExchangeRecord, read_end, said_of_end
from sluice.terms import Decision

RUN = {"dag_id": "inbound_energy01", "run_id": "r1", "task_id": "drain", "try_number": "2"}
ACCEPTED = a_record(Decision.ACCEPTED, rows=(41188, 41188, 0), reasons=(), airflow=RUN)
BOLD = {
    "nl": (
        "Klanten bellen over de verlenging van hun contract",
        "41.188 rijen, 4.087 personen",
        "Tot 23 februari 2027",
        "energy01 → contactcenter",
        "Contract 1.2.0 · 25 regels",
        "Geen rij aangehouden",
    ),
    "fr": (
        "Appeler les clients au sujet du renouvellement de leur contrat",
        "41\N{NARROW NO-BREAK SPACE}188 lignes, 4\N{NARROW NO-BREAK SPACE}087 personnes",
        "Jusqu\N{RIGHT SINGLE QUOTATION MARK}au 23 février 2027",
        "energy01 → centre de contact",
        "Contrat 1.2.0 · 25 règles",
        "Aucune ligne retenue",
    ),
    "en": (
        "Call subscribers about the renewal of their contract",
        "41,188 rows, 4,087 persons",
        "Until 23 February 2027",
        "energy01 → contact center",
        "Contract 1.2.0 · 25 rules",
        "No row held back",
    ),
}


def english(record: ExchangeRecord, **more: Any) -> dict[str, Answer]:
    return {answer.name: answer for answer in six_answers(words("en"), record, **more)}


def changed(record: ExchangeRecord, part: str, **fields: Any) -> ExchangeRecord:
    """A record of which one part says something else."""
    return record.model_copy(update={part: getattr(record, part).model_copy(update=fields)})


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_accepted_file_is_answered_in_each_language(language: str) -> None:
    answers = six_answers(words(language), ACCEPTED)
    assert tuple(answer.name for answer in answers) == ANSWERS
    assert tuple(answer.bold for answer in answers) == BOLD[language]
    assert len({answer.question for answer in answers}) == 6


@pytest.mark.parametrize("end", [("return", 0), ("delete", 30)])
def test_what_a_record_says_of_the_end_of_a_contract_is_read_as_it_was_meant(end: tuple[str, int]) -> None:
    assert read_end(said_of_end(*end)) == end
    assert said_of_end("delete", 30) == "delete within 30 days", "records of earlier versions say it so"
    assert read_end("keep within 30 days") is None, "control"


def test_every_answer_has_one_line_and_a_proof() -> None:
    why, what, how_long, who, how, treatment = six_answers(words("en"), ACCEPTED)
    assert why.line == "Legal basis: legitimate interests (GDPR Art. 6(1)(f)), relied on by energy01"
    assert why.proof.words == "DPA-ENERGY01 3.0.0 · dpv:DirectMarketing"
    assert what.line == "3 columns · CSV · 584 kB · no special categories"
    assert (what.proof.words, what.proof.is_code) == ("sha256 9f9f9f9f…9f9f9f9f", True)
    assert how_long.line == "3 copies · rule of the last one: RET-01 · 1 without a last day yet"
    assert how_long.proof.words == "At the end of the contract everything is deleted within 30 days."
    assert who.line == "Controller: energy01 · processor: contact center"
    assert who.proof.words == "Countries: BE, NL · Sub-processors: Object Store BV"
    assert how.line == "21 passed, 1 with a warning, 3 failed, 0 undecided"
    assert how.proof.words == "UTF-8 · delimiter ; · DAG inbound_energy01 · try 2"
    assert treatment.line == "Nobody had to be kept out of it"
    assert treatment.proof.words == "Cases touched: 0 · notices sent: 0 (at its closing)"


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_that_was_refused_unread_does_not_pretend_to_know(language: str) -> None:
    say, record = words(language), a_refusal_without_paper()
    why, what, how_long, who, how, treatment = six_answers(say, record)
    assert (why.bold, why.line) == (say.say("six.no_purpose"), say.say("why.no_agreement"))
    assert what.bold.lower() == say.say("file.unread") and what.line == say.say("count.unread")
    assert what.proof.words == "FORBIDDEN_NO_AGREEMENT"
    assert how_long.bold == say.say("six.until", day=say.day("2026-12-25")), "the file as it arrived is kept for a time"
    assert who.line == say.say("who.none") and how.bold.startswith(say.say("six.no_contract"))
    assert (treatment.bold, treatment.line) == (say.say("six.held.none"), say.say("six.held.unused"))
    undecided = a_record(Decision.UNDECIDED, rows=(0, 0, 0))
    assert six_answers(say, undecided)[1].line == say.say("six.uncounted"), "it was not refused"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_return_goes_the_other_way_and_says_that_roles_differ(language: str) -> None:
    say = words(language)
    _, what, _, who, _, treatment = six_answers(say, a_return())
    center = say.say("role.center")
    assert who.bold == f"{center[:1].upper()}{center[1:]} → energy01" and say.say("six.roles.differ") in who.line
    assert what.bold.startswith(say.count("six.rows", 4087, rows=say.number(4087))), "what was sent, not what was held"
    assert treatment.bold == say.count("six.held", 23, rows="23")
    assert say.count("six.reasons.more", 1, more="1") in treatment.line
    assert say.count("six.cells", 31, cells="31") in treatment.line
    assert [each.flips for each in parts_played(say, a_return())].count(True) == 1
    assert not any(each.flips for each in parts_played(say, ACCEPTED)), "the control"


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
