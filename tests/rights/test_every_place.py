"""No place without a store: every prefix that a whole night fills belongs to one, and so does every table."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from rights.estate import ENERGY01, TELECOM01, Estate, agree, ask, open_estate
from sluice.rights.erase import run
from sluice.rights.erase_model import Target
from sluice.rights.erase_stores import STORES
from sluice.settings import Settings
from stores import Database

NAMELESS = (
    "lake/_suppressions/",  # keyed references of those who must stay out
    "vault/_cases/",  # requests and letters, sealed to the center
    "evidence/certificates/",
    "evidence/checkpoints/",
    "evidence/_suppressions/",  # the same references, sealed
)
"""Places outside the stores, and why nobody is looked for there."""
REQUESTS = ("exchange/energy01/requests/", "exchange/telecom01/requests/")
"""A principal's own files; what asked for an erasure goes with it."""
TABLES = {
    "ledger.chain", "ledger.checkpoint", "ledger.entry", "sluice.ack_file", "sluice.acknowledgement",
    "sluice.activation", "sluice.alembic_version", "sluice.case_holder", "sluice.case_letter",
    "sluice.case_transition", "sluice.copy", "sluice.document", "sluice.erasure_outcome",
    "sluice.erasure_plan", "sluice.erasure_run", "sluice.erasure_stop", "sluice.exchange", "sluice.instruction",
    "sluice.notice", "sluice.notice_answer", "sluice.outbox", "sluice.own_write", "sluice.propagation",
    "sluice.request_file", "sluice.result_day", "sluice.review",
    "sluice.case_letter_opened", "sluice.return_input", "sluice.staff_account",
    "sluice.staff_code_version", "sluice.staff_credential", "sluice.staff_import", "sluice.sub_case",
    "sluice.subject_case", "sluice.suppression_run",
}  # fmt: skip
"""Tables that were looked through and name no person (test_erase_thousand.py reads every one of them)."""


@pytest.fixture
def estate(store_settings: Settings, tmp_path: Path) -> Iterator[Estate]:
    """A few persons in every kind of place."""
    with open_estate(store_settings, tmp_path, 4, 4, 2) as opened:
        yield opened


def test_every_object_belongs_to_a_store_or_names_nobody(estate: Estate) -> None:
    case = agree(estate, ask(estate, ENERGY01, estate.people[:2]).case_id)
    run(estate.house, case.case_id, datetime.now(UTC))
    searched = {
        (item.bucket, item.key, item.version_id)
        for principal in (ENERGY01, TELECOM01)
        for store in STORES
        for item in store.objects(estate.house, Target(principal, b"", frozenset(), (), frozenset()))
    }
    unknown = [
        name
        for item in estate.versions()
        if (item.bucket, item.key, item.version_id) not in searched
        and not (name := f"{item.bucket.rpartition('-')[0]}/{item.key}").startswith((*NAMELESS, *REQUESTS))
    ]
    assert unknown == []


def test_every_table_was_looked_through(database: Database) -> None:
    with closing(psycopg.connect(database.admin_url)) as conn:
        rows = conn.execute("select schemaname || '.' || relname from pg_stat_user_tables").fetchall()

    new = sorted({name for (name,) in rows} - TABLES)

    assert len(rows) > 25
    assert new == [], "a table that names a person needs a store with find, erase and objects; else add it above"
