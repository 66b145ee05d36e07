"""The receipt of a return says who sent what, what stayed and whose each column is."""

import time
from uuid import uuid4

import pytest

from documents.return_samples import BEFORE, HELD, INPUTS, SCREENING, WARNINGS, a_dial_list, a_return, some_results
from documents.samples import a_record, an_entry
from documents.test_pages import told
from documents.test_receipt import payload_of, tags_of, text_of
from sluice.agreement.roles.profiles import PROFILES
from sluice.documents.page import make_page
from sluice.documents.receipt import make_receipt
from sluice.documents.verify import verify_receipt
from sluice.documents.words import LANGUAGES, words
from sluice.ledger.record import ReasonLine
from sluice.terms import Decision, RoleProfile

FAILED = (ReasonLine(code="VALUE_PATTERN", rule="renewal.disposition", column="disposition", count=3, rows=(3, 4, 5)),)


def receipt_of(record, keyring, language="en"):
    return make_receipt(record, an_entry(record), keyring, language)


def refused(code, **what):
    """The record of a return that was refused, so that no file was made."""
    reasons = (ReasonLine(code=code, rule="return.rule", column=None, count=1),)
    nothing = {"inputs": (), "columns": (), "sha256": None, "size_bytes": 0, "supersedes": None}
    return a_return(Decision.REFUSED, held={}, rows=(0, 0, 0), reasons=reasons, **(nothing | what))


@pytest.fixture(scope="module")
def sent(keyring):
    return receipt_of(a_return(), keyring)


def test_the_signed_statement_of_a_return_repeats_the_record(sent, keyring):
    said, record = payload_of(sent.jws), a_return()

    assert verify_receipt(sent.jws, keyring.public_pem, sent.pdf).valid
    assert said["rows"] == {"in": 4110, "accepted": 4087, "refused": 0, "held": 23}
    assert (said["held_back"], said["withheld"]) == (HELD, {"recording_ref": 31})
    assert (said["contacts_on"], said["supersedes"]) == ("2026-11-24", BEFORE)
    assert said["inputs"] == [line.model_dump(mode="json") for line in INPUTS]
    assert said["role_warnings"] == list(WARNINGS)
    by_name = {column["name"]: column for column in said["column_roles"]}
    assert list(by_name) == [column.name for column in record.what.columns]
    assert (by_name["phone"]["supplied_by"], by_name["phone"]["controller"]) == ("principal", "principal")
    assert (by_name["note"]["supplied_by"], by_name["note"]["controller"]) == ("center", "center")
    assert (by_name["note"]["processor"], by_name["note"]["owner_label"]) == ("principal", "center")


def test_the_statement_says_what_notes_were_screened_for_and_that_it_proves_nothing(sent):
    said = payload_of(sent.jws)["screened"]["free_text"]

    assert payload_of(sent.jws)["special_categories"]["found_in_notes"] == ["health"], "of what was found, those"
    limit = said.pop("limit")
    assert said == SCREENING.model_dump(mode="json")
    assert limit == "Found by listed terms and checksummed numbers; nothing found is not proven clean."


def test_an_inbound_statement_keeps_every_key_it_had(receipt):
    said = payload_of(receipt.jws)

    assert {"rows", "reasons", "held_back", "purposes", "roles", "screened", "copies", "file"} <= said.keys()
    assert {"columns", "suites", "gate_counts", "dialect"} <= said["screened"].keys()
    assert (said["column_roles"], said["inputs"], said["supersedes"]) == ([], [], None)
    assert said["screened"]["free_text"] is None


@pytest.mark.parametrize("rows", [(4110, 4087, 0), (4113, 4087, 3)])
def test_counts_add_up(rows):
    record = a_return(rows=rows, reasons=FAILED if rows[2] else ())
    section = make_page(record, an_entry(record), "ab" * 32, "nl").sections[0]

    assert section.accepted + section.held + section.refused == rows[0]


def test_a_screen_reader_knows_the_structure_of_a_return(sent):
    tags, languages = tags_of(sent.pdf)

    assert {"nl-BE", "fr-BE"} <= languages
    assert {"/H1", "/H2", "/P", "/Table", "/TH", "/TD"} <= tags


NOT_SENT = (
    "STALE_NEWER_RETURN", "STALE_INPUT_GONE", "HEADER_SOURCE_MISSING", "VALUE_UNWRITABLE", "FORBIDDEN_COUNTRY",
    "FORBIDDEN_AGREEMENT_EXPIRED", "DUPLICATE_CONTENT", "UNREADABLE_GAVE_UP",
)  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_return_that_was_not_sent_never_asks_the_principal_to_send_it_again(language):
    say = words(language)
    for code in NOT_SENT:
        record = refused(code)
        section = make_page(record, an_entry(record), "ab" * 32, language).sections[0]

        group = section.parts[0].groups[0]
        assert group.meaning and group.cure and group.cure != say.find(f"class.{code.split('_')[0]}.cure"), code
        assert section.verdict.word == say.say("outbound_return.verdict.refused.word")
        labels = {pair.label for part in section.parts for pair in part.facts}
        assert not {say.say("outbound_return.file.place"), say.say("file.size")} & labels


def test_a_table_without_rows_is_never_set():
    record = refused("STALE_NEWER_RETURN")
    record = record.model_copy(update={"how_long": record.how_long.model_copy(update={"copies": ()})})

    for section in make_page(record, an_entry(record), "ab" * 32, "nl").sections:
        assert [part.heading for part in section.parts if part.table and not part.table.rows] == []


def test_an_encrypted_return_shows_both_hashes(keyring):
    record = a_return(sha256="77" * 32)

    text = text_of(receipt_of(record, keyring).pdf).replace(" ", "")

    assert "77" * 32 in text
    assert "9f" * 32 in text


def test_a_return_of_many_inputs_shows_some_and_signs_all(keyring):
    many = tuple(INPUTS[1].model_copy(update={"exchange_id": str(uuid4())}) for _ in range(40))
    made = receipt_of(a_return(inputs=many), keyring)

    assert "28 more stand in the signed file (.json)." in text_of(made.pdf)
    assert len(payload_of(made.jws)["inputs"]) == 40


@pytest.mark.parametrize("profile", RoleProfile)
def test_every_profile_has_a_row_a_layman_can_read(profile):
    column = a_return().what.columns[0]
    row = PROFILES[profile]
    parties = {"controller": row.controller, "processor": row.processor, "owner_label": row.owner_label}
    record = a_return(columns=(column.model_copy(update={"role_profile": profile.value, **parties}),))

    for section in make_page(record, an_entry(record), "ab" * 32, "en").sections:
        heading = words(section.lang).say("columns.heading")
        table = next(part.table for part in section.parts if part.heading == heading)
        said = [cell.words for cell in table.rows[0][3:]]
        assert not {"principal", "center", "both", "joint", "vendor", "-"} & set(said)
        assert all(said)


def test_results_of_agents_say_what_was_masked_held_and_drawn(keyring):
    record = some_results()
    made = receipt_of(record, keyring)
    text = text_of(made.pdf)

    assert verify_receipt(made.jws, keyring.public_pem, made.pdf).valid
    assert record.what.rows_in == sum(payload_of(made.jws)["rows"][name] for name in ("accepted", "refused", "held"))
    assert "Results of our agents, for energy01" in text and "Damaged text" not in text


@pytest.mark.parametrize("make", [a_record, a_return, some_results])
def test_a_usual_receipt_takes_no_longer_than_its_share_of_a_slot(keyring, make):
    """Goal 150 ms on an idle core; the bound here leaves room for a machine that is shared."""
    receipt_of(make(), keyring)
    fresh = [make().model_copy(update={"exchange_id": str(uuid4())}) for _ in range(3)]

    spent = []
    for record in fresh:
        start = time.process_time()
        receipt_of(record, keyring)
        spent.append(time.process_time() - start)

    assert min(spent) < 0.6


@pytest.mark.parametrize(("language", "never"), [("nl", "kijkt iemand"), ("fr", "examine"), ("en", "looks at them")])
def test_a_dial_list_does_not_say_that_somebody_looks_at_whoever_was_left_off(language, never):
    on_list, results = (told(record, language) for record in (a_dial_list(), some_results()))

    assert never not in on_list and "Arrived" not in on_list and "Aangekomen" not in on_list
    assert never in results, "the control: of results that are held, somebody does"
