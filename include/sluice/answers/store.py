"""Answers to persons in PostgreSQL: packages, links, and when one left the vault."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from sluice.answers.ids import AnswerId
from sluice.answers.link_model import Link, LinkId
from sluice.answers.model import Answer, AnswerKind
from sluice.db import Connection
from sluice.rights.case.model import CaseId, SubCaseId
from sluice.terms import Sha256

_ANSWER = tuple(each.name for each in fields(Answer))
_LINK = tuple(each.name for each in fields(Link))
_CAST = {
    "answer_id": "answer_id::text as answer_id",
    "case_id": "case_id::text as case_id",
    "link_id": "link_id::text as link_id",
    "sub_cases": "sub_cases::text[] as sub_cases",
}
_SELECT_ANSWER = f"select {', '.join(_CAST.get(name, name) for name in _ANSWER)} from answer"
_SELECT_LINK = f"select {', '.join(_CAST.get(name, name) for name in _LINK)} from answer_link"


def insert_answer(conn: Connection, answer: Answer) -> None:
    """Note a package that lies in the vault. Call in the transaction that logs it."""
    values = {name: getattr(answer, name) for name in _ANSWER}
    values |= {name: list(values[name]) for name in ("sub_cases", "principals", "given")}
    marks = ", ".join(f"%({name})s" for name in _ANSWER)
    conn.execute(f"insert into answer ({', '.join(_ANSWER)}) values ({marks})".encode(), values)


def find_answers(conn: Connection, case_id: str) -> list[Answer]:
    """Packages of a case, newest first, gone ones too."""
    rows = conn.execute(
        f"{_SELECT_ANSWER} where case_id = %s order by made_at desc, answer_id".encode(), (case_id,)
    ).fetchall()
    return [_answer(row) for row in rows]


def find_answer(conn: Connection, answer_id: str) -> Answer | None:
    """One package, gone or not."""
    row = conn.execute(f"{_SELECT_ANSWER} where answer_id = %s".encode(), (answer_id,)).fetchone()
    return _answer(row) if row else None


def find_due(conn: Connection, on: date) -> list[Answer]:
    """Packages whose last day is over, oldest first."""
    rows = conn.execute(
        f"{_SELECT_ANSWER} where gone_at is null and delete_after < %s order by delete_after, answer_id".encode(), (on,)
    ).fetchall()
    return [_answer(row) for row in rows]


def find_taken_back(conn: Connection) -> list[Answer]:
    """Packages that are there although the person took the request back."""
    rows = conn.execute(
        f"""{_SELECT_ANSWER} a where gone_at is null and exists (
                select from subject_case c where c.case_id = a.case_id and c.state = 'WITHDRAWN_BY_SUBJECT')
            order by made_at, answer_id""".encode()
    ).fetchall()
    return [_answer(row) for row in rows]


def find_superseded(conn: Connection) -> list[Answer]:
    """Find packages that are there although there is a newer one like them.

    The worker that made the newer one died before it removed them.
    """
    rows = conn.execute(
        f"""{_SELECT_ANSWER} a where gone_at is null and exists (
                select from answer b where b.case_id = a.case_id and b.gone_at is null
                  and b.only_principal is not distinct from a.only_principal
                  and (b.made_at, b.answer_id) > (a.made_at, a.answer_id))
            order by made_at, answer_id""".encode()
    ).fetchall()
    return [_answer(row) for row in rows]


def find_moment(conn: Connection) -> datetime:
    """Return the time by the database's clock, by which erasures end, too."""
    row = conn.execute("select clock_timestamp() as at").fetchone()
    assert row is not None  # a select without a table
    moment: datetime = row["at"]
    return moment


def find_known(conn: Connection) -> set[tuple[str, str]]:
    """Key and version of every package that is there."""
    rows = conn.execute("select key, version_id from answer where gone_at is null").fetchall()
    return {(row["key"], row["version_id"]) for row in rows}


def insert_taken(conn: Connection, answer_id: str, link_id: str | None, by: str, at: datetime) -> None:
    """Note that a package leaves the vault. Call in the transaction that logs it."""
    conn.execute(
        "insert into answer_taken (answer_id, link_id, taken_by, taken_at) values (%s, %s, %s, %s)",
        (answer_id, link_id, by, at),
    )


def insert_link(conn: Connection, link: Link) -> None:
    """Note a link. Call in the transaction that logs it."""
    marks = ", ".join(f"%({name})s" for name in _LINK)
    values = {name: getattr(link, name) for name in _LINK}
    conn.execute(f"insert into answer_link ({', '.join(_LINK)}) values ({marks})".encode(), values)


def lock_link(conn: Connection, token_sha256: str) -> Link | None:
    """Return the link of a token, locked until the transaction ends, so that two uses are counted as two."""
    row = conn.execute(f"{_SELECT_LINK} where token_sha256 = %s for update".encode(), (token_sha256,)).fetchone()
    return _link(row) if row else None


def find_links(conn: Connection, answer_id: str) -> list[Link]:
    """Links of a package, newest first."""
    rows = conn.execute(
        f"{_SELECT_LINK} where answer_id = %s order by made_at desc, link_id".encode(), (answer_id,)
    ).fetchall()
    return [_link(row) for row in rows]


def count_use(conn: Connection, link_id: str) -> None:
    conn.execute("update answer_link set uses = uses + 1 where link_id = %s", (link_id,))


def count_failure(conn: Connection, link_id: str) -> None:
    conn.execute("update answer_link set failures = failures + 1 where link_id = %s", (link_id,))


def revoke(conn: Connection, link_id: str, at: datetime) -> None:
    conn.execute("update answer_link set revoked_at = %s where link_id = %s and revoked_at is null", (at, link_id))


def _answer(row: Mapping[str, Any]) -> Answer:
    return Answer(
        **{
            **row,
            "answer_id": AnswerId(row["answer_id"]),
            "case_id": CaseId(row["case_id"]),
            "kind": AnswerKind(row["kind"]),
            "sub_cases": tuple(map(SubCaseId, row["sub_cases"])),
            "principals": tuple(row["principals"]),
            "given": tuple(row["given"]),
            "sha256": Sha256(row["sha256"]),
            "sealed_sha256": Sha256(row["sealed_sha256"]),
        }
    )


def _link(row: Mapping[str, Any]) -> Link:
    return Link(**{**row, "link_id": LinkId(row["link_id"]), "answer_id": AnswerId(row["answer_id"])})


def find_forwarded(conn: Connection, sub_case_id: str, chain: str) -> str | None:
    """Return the hash of the ledger entry that says that a part was passed on to its controller."""
    row = conn.execute(
        """select encode(hash, 'hex') as hash from ledger.entry
           where chain = %s and kind = 'case.transitioned'
             and convert_from(body, 'UTF8')::json ->> 'sub_case_id' = %s
             and convert_from(body, 'UTF8')::json ->> 'to_state' = 'FORWARDED'
           order by seq limit 1""",
        (chain, sub_case_id),
    ).fetchone()
    return row["hash"] if row else None
