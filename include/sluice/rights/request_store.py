"""The SQL of request files: each version with its outcome."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sluice.db import Connection
from sluice.rights.case.model import CaseId
from sluice.rights.person.request_file import FileOutcome, RowFault
from sluice.terms import Principal

FILE = """principal, version_id, outcome, case_id::text as case_id, persons, refused, sha256, seen_at"""


@dataclass(frozen=True, slots=True)
class RequestFile:
    """One version under ``requests/``, and its outcome. Its name is not kept."""

    principal: Principal
    version_id: str
    outcome: FileOutcome
    case_id: CaseId | None
    persons: int
    faults: tuple[RowFault, ...]
    sha256: str | None
    seen_at: datetime


def insert_file(conn: Connection, file: RequestFile) -> bool:
    """Write a file's row. False if it has one already, which stays."""
    row = conn.execute(
        """insert into request_file (principal, version_id, outcome, case_id, persons, refused, sha256, seen_at)
           values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing returning 1""",
        (
            file.principal,
            file.version_id,
            file.outcome.value,
            file.case_id,
            file.persons,
            json.dumps(reasons_of(file)),
            file.sha256,
            file.seen_at,
        ),
    ).fetchone()
    return row is not None


def reasons_of(file: RequestFile) -> list[dict[str, Any]]:
    """Why rows were refused, or why the file cannot be read, as row and notice have it."""
    return [
        {"code": f.code, "column": f.column, "count": f.count, "rows": list(f.rows)}
        | ({} if f.line is None else {"line": f.line})
        for f in file.faults
    ]


def find_answered(conn: Connection, principal: str, versions: Sequence[str]) -> set[str]:
    """Which of these versions, requests or instructions, have an outcome."""
    rows = conn.execute(
        """select version_id from request_file where principal = %(principal)s and version_id = any(%(versions)s)
           union all
           select version_id from instruction where principal = %(principal)s and version_id = any(%(versions)s)""",
        {"principal": principal, "versions": list(versions)},
    ).fetchall()
    return {row["version_id"] for row in rows}


def list_files(conn: Connection, principal: str) -> list[RequestFile]:
    """Return the request files of a principal with their outcomes, newest first, at most 200."""
    rows = conn.execute(
        f"select {FILE} from request_file where principal = %s order by seen_at desc, version_id limit 200",
        (principal,),
    ).fetchall()
    return [_file(row) for row in rows]


def get_file(conn: Connection, principal: str, version_id: str) -> RequestFile:
    """Return a file that has its row."""
    row = conn.execute(
        f"select {FILE} from request_file where principal = %s and version_id = %s", (principal, version_id)
    ).fetchone()
    assert row is not None
    return _file(row)


def _file(row: Mapping[str, Any]) -> RequestFile:
    faults = tuple(
        RowFault(f["code"], f["column"], f["count"], tuple(f["rows"]), f.get("line")) for f in row["refused"]
    )
    return RequestFile(
        Principal(row["principal"]),
        row["version_id"],
        FileOutcome(row["outcome"]),
        CaseId(row["case_id"]) if row["case_id"] else None,
        row["persons"],
        faults,
        row["sha256"],
        row["seen_at"],
    )
