"""The SQL of instructions: files with their outcome, and which principals have a key."""

from sluice.db import Connection
from sluice.rights.case.model import Action, SubCaseId
from sluice.rights.instruction import InstructionFile, InstructionOutcome
from sluice.terms import Principal


def insert_file(conn: Connection, file: InstructionFile) -> None:
    conn.execute(
        """insert into instruction (principal, version_id, sub_case_id, outcome, action, sha256, seen_at)
           values (%s, %s, %s, %s, %s, %s, %s)""",
        (
            file.principal,
            file.version_id,
            file.sub_case_id,
            file.outcome.value,
            file.action.value if file.action else None,
            file.sha256,
            file.seen_at,
        ),
    )


def find_file(conn: Connection, principal: str, version_id: str) -> InstructionFile | None:
    row = conn.execute(
        """select principal, version_id, sub_case_id::text as sub_case_id, outcome, action, sha256, seen_at
           from instruction where principal = %s and version_id = %s""",
        (principal, version_id),
    ).fetchone()
    if row is None:
        return None
    return InstructionFile(
        Principal(row["principal"]),
        row["version_id"],
        SubCaseId(row["sub_case_id"]) if row["sub_case_id"] else None,
        InstructionOutcome(row["outcome"]),
        Action(row["action"]) if row["action"] else None,
        row["sha256"],
        row["seen_at"],
    )


def was_followed(conn: Connection, principal: str, sha256: str) -> bool:
    """Whether a file with this content was followed."""
    row = conn.execute(
        "select 1 from instruction where principal = %s and sha256 = %s and outcome = %s",
        (principal, sha256, InstructionOutcome.INSTRUCTED.value),
    ).fetchone()
    return row is not None


def has_key(conn: Connection, principal: str) -> bool:
    return conn.execute("select 1 from instruction_key where principal = %s", (principal,)).fetchone() is not None


def note_key(conn: Connection, principal: str) -> None:
    """Remember that a principal has a key."""
    conn.execute("insert into instruction_key (principal) values (%s) on conflict do nothing", (principal,))
