"""The SQL of instructions: files with their outcome, and which principals have a key."""

from collections.abc import Sequence

from sluice.db import Connection
from sluice.rights.case.model import Action, SubCaseId
from sluice.rights.instruction_rules import InstructionFile, InstructionOutcome
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


def is_replay(conn: Connection, principal: str, sub_case_id: SubCaseId, hashes: Sequence[str]) -> bool:
    """Whether a file with one of these SHA-256 was followed, or was seen before the last one that was, of this part.

    What was said before the last word says nothing new, whoever puts it again.
    """
    row = conn.execute(
        """select 1 from instruction where principal = %(principal)s and sha256 = any(%(hashes)s)
             and (outcome = %(followed)s or seen_at < (
               select max(seen_at) from instruction where sub_case_id = %(part)s and outcome = %(followed)s))""",
        {
            "principal": principal,
            "hashes": list(hashes),
            "followed": InstructionOutcome.INSTRUCTED.value,
            "part": sub_case_id,
        },
    ).fetchone()
    return row is not None


def has_key(conn: Connection, principal: str) -> bool:
    return conn.execute("select 1 from instruction_key where principal = %s", (principal,)).fetchone() is not None


def note_key(conn: Connection, principal: str) -> None:
    """Remember that a principal has a key."""
    conn.execute("insert into instruction_key (principal) values (%s) on conflict do nothing", (principal,))
