"""What erasing and ending a case ask about answers to persons. The SQL that makes answers is in the room above."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from sluice.db import Connection
from sluice.ledger.copy_kinds import HANDED
from sluice.rights.case.model import CaseId, SubCase
from sluice.rights.copies.model import ANSWER, Copy
from sluice.terms import Direction, ExchangeId, Flow, Principal

PREFIX = "_answers/"
"""Where packages lie in the vault."""


def index_key_of(key: str) -> str:
    """The key of the index run beside a package, with the references in it. ``key``: of the package."""
    return f"{key.removesuffix('.zip.age')}.index.parquet"


_COPY = """select a.answer_id::text as id, a.kind, a.bucket, a.key, a.version_id, a.sealed_sha256, a.made_at
    from answer a"""


TAKEN_BACK = "withdrawn"
"""Why an answer is gone if its request was taken back, or the decision to give a part of it."""
_TOLD = f"""a.only_principal is null and (a.gone_at is null or a.gone_why = 'retention'
    or a.gone_why <> '{TAKEN_BACK}' and exists (select from answer_taken t where t.answer_id = a.answer_id))"""
"""SQL of whether the person of an answer has it or may have it. An answer that an erasure removed before anybody took
it out does not count, because it is made again; neither does one that was replaced. One that was taken back does not
even if it had been taken out, because what is decided next may give something else."""


def find_copies(
    conn: Connection, principal: Principal, *, with_gone: bool = False, among: Collection[ExchangeId] | None = None
) -> list[Copy]:
    """Answers with data of a principal, as copies. ``among``: only those with these ids."""
    rows = conn.execute(
        f"""{_COPY} where %(principal)s = any(a.principals) and (%(gone)s or a.gone_at is null)
              and (%(among)s::uuid[] is null or a.answer_id = any(%(among)s))
            order by a.made_at, a.answer_id""".encode(),
        {"principal": principal, "gone": with_gone, "among": None if among is None else list(among)},
    ).fetchall()
    return [*map(_copy, rows), *_received(conn, principal, with_gone=with_gone, among=among)]


def _received(
    conn: Connection, principal: Principal, *, with_gone: bool, among: Collection[ExchangeId] | None
) -> list[Copy]:
    """Answers with data of other principals that lie under this one's prefix, because persons had them sent there."""
    rows = conn.execute(
        """select c.exchange_id::text as id, c.kind, e.flow, c.bucket, c.key, c.version_id, c.sha256 as sealed_sha256,
               e.closed_at as made_at
           from handover h join exchange e using (exchange_id) join copy c using (exchange_id)
           where c.kind = %(kind)s and e.principal <> %(principal)s
             and starts_with(c.key, %(principal)s || '/') and (%(gone)s or c.gone_at is null)
             and (%(among)s::uuid[] is null or c.exchange_id = any(%(among)s))
           order by e.closed_at, c.exchange_id""",
        {
            "kind": HANDED,
            "principal": principal,
            "gone": with_gone,
            "among": None if among is None else list(among),
        },
    ).fetchall()
    return [replace(_copy(row | {"kind": row["flow"]}), kind=HANDED) for row in rows]


def find_handed_places(conn: Connection, principal: Principal) -> list[tuple[str, str]]:
    """Bucket and key of every answer with data of a principal that was meant for a controller, even if it is gone."""
    rows = conn.execute(
        """select e.bucket, e.key from handover join exchange e using (exchange_id)
           where e.principal = %s or starts_with(e.key, %s || '/') order by e.opened_at, e.exchange_id""",
        (principal, principal),
    ).fetchall()
    return [(row["bucket"], row["key"]) for row in rows]


def find_sent_on(conn: Connection, case_id: str) -> list[tuple[str, str, datetime]]:
    """The next controllers that got data because of a request: their name, the principal whose data it is, and when."""
    rows = conn.execute(
        """select h.name, e.principal, e.closed_at from handover h join exchange e using (exchange_id)
           where h.case_id = %s and h.receiver <> e.principal
             and exists (select from copy c where c.exchange_id = e.exchange_id and c.kind = %s)
           order by e.closed_at, h.name, e.principal""",
        (case_id, HANDED),
    ).fetchall()
    return [(row["name"], row["principal"], row["closed_at"]) for row in rows]


def find_copy(conn: Connection, answer_id: str) -> Copy | None:
    """One answer that is still there, or None."""
    row = conn.execute(f"{_COPY} where a.answer_id = %s and a.gone_at is null".encode(), (answer_id,)).fetchone()
    return _copy(row) if row else None


def find_with_part(conn: Connection, part: SubCase) -> list[dict[str, Any]]:
    """Where every package with a part lies that is still there: its id, case, bucket, key and last day."""
    return conn.execute(
        """select answer_id::text as answer_id, case_id::text as case_id, bucket, key, delete_after from answer
           where %s = any(sub_cases) and gone_at is null order by made_at, answer_id""",
        (part.sub_case_id,),
    ).fetchall()


def find_elsewhere(conn: Connection, principal: Principal) -> set[tuple[str, str]]:
    """Key and version of the answers that are there and hold no data of this principal."""
    rows = conn.execute(
        "select key, version_id from answer where gone_at is null and not %s = any(principals)", (principal,)
    ).fetchall()
    return {(row["key"], row["version_id"]) for row in rows}


def find_case(conn: Connection, answer_id: str) -> CaseId | None:
    """The case that an answer answers, or None."""
    row = conn.execute(
        """select case_id::text as id from answer where answer_id = %(id)s
           union all select case_id::text from handover where exchange_id = %(id)s""",
        {"id": answer_id},
    ).fetchone()
    return CaseId(row["id"]) if row else None


def find_of_case(conn: Connection, case_id: str) -> frozenset[str]:
    """Ids of all answers to a request, even if they are gone: packages for its person, and answers to controllers."""
    rows = conn.execute(
        """select answer_id::text as id from answer where case_id = %(case)s
           union all select exchange_id::text from handover where case_id = %(case)s""",
        {"case": case_id},
    ).fetchall()
    return frozenset(row["id"] for row in rows)


def mark_gone(conn: Connection, answer_id: str, why: str, at: datetime) -> bool:
    """Note that the object of an answer is gone; return False if that was noted before."""
    row = conn.execute(
        "update answer set gone_at = %s, gone_why = %s where answer_id = %s and gone_at is null returning 1",
        (at, why, answer_id),
    ).fetchone()
    return row is not None


def find_made(conn: Connection, part: SubCase) -> str | None:
    """SHA-256 of the last answer about a part, or of the one that its principal got; None while there is neither."""
    row = conn.execute(
        f"""select a.sha256, a.made_at from answer a where %(part)s = any(a.sub_cases) and {_TOLD}
           union all select h.sha256, e.closed_at from handover h join exchange e using (exchange_id)
               where %(part)s = any(h.sub_cases) and h.receiver = e.principal
                 and exists (select from copy c where c.exchange_id = e.exchange_id and c.kind = %(handed)s)
           order by made_at desc limit 1""".encode(),
        {"part": part.sub_case_id, "handed": HANDED},
    ).fetchone()
    return row["sha256"] if row else None


def find_told(conn: Connection, case_id: str) -> dict[str, datetime]:
    """The parts of a case about which the person has or may have an answer, each with when that was ready."""
    rows = conn.execute(
        f"""select part::text as part, min(a.made_at) as made_at from answer a, unnest(a.sub_cases) part
            where a.case_id = %s and {_TOLD} group by part""".encode(),
        (case_id,),
    ).fetchall()
    return {row["part"]: row["made_at"] for row in rows}


def find_given(conn: Connection, case_id: str) -> dict[str, frozenset[str]]:
    """By part, the field groups of which the answers of a case hold something."""
    rows = conn.execute(
        f"""select part::text as part, coalesce(array_agg(split_part(g, '/', 2)) filter (where g is not null), '{{}}')
                as groups
            from answer a cross join unnest(a.sub_cases) part
            left join lateral unnest(a.given) g on split_part(g, '/', 1) = part::text
            where a.case_id = %s and {_TOLD} group by part""".encode(),
        (case_id,),
    ).fetchall()
    return {row["part"]: frozenset(row["groups"]) for row in rows}


def find_taken(conn: Connection, part: SubCase) -> tuple[str, datetime] | None:
    """SHA-256 of an answer about a part that left the vault through the person's link, and when; None if none did.

    One that was taken back since is no answer.
    """
    row = conn.execute(
        """select a.sha256, t.taken_at from answer a join answer_taken t using (answer_id)
           where %s = any(a.sub_cases) and t.link_id is not null and a.gone_why is distinct from %s
           order by t.taken_at limit 1""",
        (part.sub_case_id, TAKEN_BACK),
    ).fetchone()
    return (row["sha256"], row["taken_at"]) if row else None


def _copy(row: dict[str, Any]) -> Copy:
    return Copy(
        exchange_id=ExchangeId(row["id"]),
        kind=ANSWER,
        direction=Direction.PORTABILITY_ACCESS,
        flow=Flow(row["kind"]),
        bucket=row["bucket"],
        key=row["key"],
        version_id=row["version_id"],
        sha256=row["sealed_sha256"],
        contract=None,
        columns=(),
        closed_at=row["made_at"],
    )
