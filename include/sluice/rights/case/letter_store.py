"""Letters in PostgreSQL, and what else a letter needs to read: all SQL about letters is here."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sluice.agreement.folder.load import parse_agreement
from sluice.db import Connection
from sluice.rights.case.model import CaseId, Letter, LetterKind, SubCase, SubCaseId
from sluice.terms import Sha256

WHOLE = "case"
"""The scope of a letter about the whole request, or about every part for which there was something to write."""
_COLUMNS = tuple(each.name for each in fields(Letter) if each.name not in ("opened_at", "overtaken"))
OVERTAKING = """(t.from_state = 'INSTRUCTED' and t.to_state in ('ESCALATED', 'AWAITING_INSTRUCTION')
        or t.reasons <> '{}' and t.to_state in ('EXECUTED', 'EXECUTING'))"""
"""SQL of whether a step ``t`` ends a decision; must agree with ``states.ends_a_decision``."""
OVERTAKEN = f"""select t.sub_case_id::text from case_transition t
        where l.kind = 'refusal' and t.case_id = l.case_id and t.sub_case_id = any(l.sub_cases)
          and t.at > l.written_at and {OVERTAKING}"""
"""SQL of the parts of a letter ``l`` whose decision, of which it gives the reasons, was ended since."""
_CAST = {"case_id": "case_id::text as case_id", "sub_cases": "sub_cases::text[] as sub_cases"}
_SAME = "(o.case_id, o.kind, o.scope, o.language) = (l.case_id, l.kind, l.scope, l.language)"
_LETTER = f"""select {", ".join(_CAST.get(name, name) for name in _COLUMNS)},
    (select min(o.opened_at) from case_letter_opened o where {_SAME}) as opened_at,
    array(select distinct p.id from ({OVERTAKEN}) p (id) order by 1) as overtaken from case_letter l"""


def insert_letter(conn: Connection, letter: Letter) -> None:
    """Store a letter that lies in the vault. Call this in the transaction that logs it."""
    marks = ", ".join(f"%({name})s" for name in _COLUMNS)
    values = {name: getattr(letter, name) for name in _COLUMNS} | {"sub_cases": list(letter.sub_cases)}
    conn.execute(f"insert into case_letter ({', '.join(_COLUMNS)}) values ({marks})".encode(), values)


def insert_opened(conn: Connection, letter: Letter, by: str, at: datetime) -> None:
    """Note that somebody took a letter out of the vault. Call this in the transaction that logs it."""
    conn.execute(
        """insert into case_letter_opened (case_id, kind, scope, language, opened_by, opened_at)
           values (%s, %s, %s, %s, %s, %s)""",
        (letter.case_id, letter.kind, letter.scope, letter.language, by, at),
    )


def find_unopened(conn: Connection) -> list[Letter]:
    """Letters that nobody has taken out yet, oldest first. Left out is one whose decision was ended since."""
    rows = conn.execute(
        f"""{_LETTER} where not exists (select from case_letter_opened o where {_SAME})
            and not exists ({OVERTAKEN}) order by letter_id""".encode()
    ).fetchall()
    return [_letter(row) for row in rows]


def find_overtaken_at(conn: Connection, case_id: CaseId) -> datetime | None:
    """When a decision about a part of a case was last taken back or made anew; None if that never happened."""
    query = f"select max(t.at) as at from case_transition t where t.case_id = %s and {OVERTAKING}"
    row = conn.execute(query.encode(), (case_id,)).fetchone()
    return row["at"] if row else None


def find_letters(conn: Connection, case_ids: Sequence[str]) -> dict[str, tuple[Letter, ...]]:
    """The letters of each of these cases, oldest first."""
    rows = conn.execute(
        f"{_LETTER} where case_id = any(%s::uuid[]) order by letter_id".encode(),
        (list(case_ids),),
    ).fetchall()
    found: dict[str, tuple[Letter, ...]] = {}
    for row in rows:
        found[row["case_id"]] = (*found.get(row["case_id"], ()), _letter(row))
    return found


def find_company(conn: Connection, part: SubCase) -> str:
    """The name of a part's principal, from the agreement under which the part was made, or else its code."""
    row = conn.execute(
        "select body, path from document where kind = 'agreement' and document_id = %s and version = %s limit 1",
        (part.agreement_id, part.agreement_version),
    ).fetchone()
    return parse_agreement(bytes(row["body"]), row["path"]).principal_name if row else part.principal


def _letter(row: Mapping[str, Any]) -> Letter:
    return Letter(
        **{
            **row,
            "case_id": CaseId(row["case_id"]),
            "kind": LetterKind(row["kind"]),
            "sub_cases": tuple(map(SubCaseId, row["sub_cases"])),
            "overtaken": tuple(map(SubCaseId, row["overtaken"])),
            "sha256": Sha256(row["sha256"]),
            "document_sha256": Sha256(row["document_sha256"]),
        }
    )
