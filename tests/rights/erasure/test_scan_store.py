"""The second scans of a case: the last of each principal, found without reading those of other cases."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from sluice.db import Connection, connect_to, transaction
from sluice.ledger.append import append_many
from sluice.ledger.erased import ErasureDone, ErasurePlanned
from sluice.ledger.model import EntryKind
from sluice.rights.case.model import CaseId
from sluice.rights.erasure.scan_store import SCANS_OF_CASE, find_last_scans, find_proven
from support.stores import Database

pytestmark = pytest.mark.stores
NOW = datetime(2026, 11, 30, tzinfo=UTC).isoformat()
INDEX = "entry_scan_of_case"


@pytest.fixture
def conn(database: Database) -> Iterator[Connection]:
    with connect_to(database.app_url) as opened:
        yield opened


def scanned(case_id: CaseId, principal: str = "energy01", residual: int = 0, undecided: int = 0) -> ErasureDone:
    return ErasureDone(
        case_id=case_id, principal=principal, done_at=NOW, stores=(), objects_scanned=9, residual=residual, doubts=0,
        sealed=0, shared=0, short=0, waiting=0, kept=undecided, undecided=undecided, exceptions=(), grounds=(),
    )  # fmt: skip


def put(conn: Connection, *scans: ErasureDone) -> list[str]:
    with transaction(conn):
        said = append_many(conn, chain="C", kind=EntryKind.ERASURE_DONE, bodies=[(None, scan) for scan in scans])
    return [entry.hash.hex() for entry in said]


def plan(conn: Connection, case_id: CaseId) -> str:
    with conn.transaction(force_rollback=True):
        conn.execute("set local enable_seqscan = off")
        lines = conn.execute(b"explain " + SCANS_OF_CASE.encode(), (case_id,)).fetchall()
    return "\n".join(line["QUERY PLAN"] for line in lines)


def test_the_last_scan_of_each_principal_counts_and_no_other_case(conn: Connection) -> None:
    case_id, other = CaseId(str(uuid4())), CaseId(str(uuid4()))
    put(conn, scanned(case_id, residual=2), scanned(case_id, "gas01"), scanned(other, "telecom01"))
    [last] = put(conn, scanned(case_id, undecided=1))
    planned = ErasurePlanned(
        case_id=case_id, principal="meal01", plan_sha256="0" * 64, planned_by="anna", planned_at=NOW, stores=()
    )
    with transaction(conn):
        append_many(conn, chain="C", kind=EntryKind.ERASURE_PLANNED, bodies=[(None, planned)])

    scans = find_last_scans(conn, case_id)

    assert set(scans) == {"energy01", "gas01"}
    assert (scans["energy01"].done, scans["energy01"].entry_hash) == (scanned(case_id, undecided=1), last)
    assert (scans["energy01"].is_idle, scans["energy01"].is_clean) == (True, False)
    assert find_proven(conn, case_id) == {"gas01"}
    put(conn, scanned(case_id, "gas01", residual=1))
    assert not find_last_scans(conn, case_id)["gas01"].is_idle and find_proven(conn, case_id) == frozenset()


def test_the_scans_of_a_case_are_found_by_their_index(conn: Connection, database: Database) -> None:
    case_id = CaseId(str(uuid4()))
    put(conn, scanned(case_id), *(scanned(CaseId(str(uuid4()))) for _ in range(200)))
    assert INDEX in plan(conn, case_id)

    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute(f"drop index ledger.{INDEX}".encode())
    assert INDEX not in plan(conn, case_id), "the check sees that nothing serves the question"
    assert set(find_last_scans(conn, case_id)) == {"energy01"}
