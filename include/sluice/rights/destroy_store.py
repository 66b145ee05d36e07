"""SQL about the destruction of keys, and about what must be over before it. No other module has any."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sluice.db import Connection
from sluice.exchange.outbox import Effect
from sluice.locks import About, lock_until_commit
from sluice.rights.notices.notice_store import NEVER_GOES
from sluice.terms import Principal


@dataclass(frozen=True, slots=True)
class Destruction:
    """What was asked, confirmed and done about the keys of one principal."""

    principal: Principal
    asked_by: str
    asked_at: datetime
    confirmed_by: str | None
    confirmed_at: datetime | None
    fingerprints: Mapping[str, str] | None
    destroyed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Counts of what is not over at a principal.

    ``exchanges``: open, or with effects to come. ``copies``: objects that could name a person without these keys
    (what is keyed or sealed with them is lost with them), and records of consent, which can be given to the persons
    they are about only as long as the keys exist. ``kept_out``: persons in live suppressions.
    """

    in_force: int
    cases: int
    holds: int
    notices: int
    exchanges: int
    copies: int
    kept_out: int


def lock(conn: Connection, principal: Principal) -> None:
    """Lock a principal until the transaction ends, so that one destruction is handled at a time."""
    lock_until_commit(conn, About.DESTRUCTION, principal)


def find(conn: Connection, principal: Principal) -> Destruction | None:
    row = conn.execute("select * from key_destruction where principal = %s", (principal,)).fetchone()
    return Destruction(**{**row, "principal": Principal(row["principal"])}) if row else None


def find_all(conn: Connection) -> dict[str, Destruction]:
    """Return every destruction, by principal."""
    rows = conn.execute("select * from key_destruction order by principal").fetchall()
    return {row["principal"]: Destruction(**{**row, "principal": Principal(row["principal"])}) for row in rows}


def ask(conn: Connection, principal: Principal, by: str, at: datetime) -> None:
    """Note who asks. A later request replaces one that nobody confirmed."""
    conn.execute(
        """insert into key_destruction (principal, asked_by, asked_at) values (%s, %s, %s)
           on conflict (principal) do update set asked_by = excluded.asked_by, asked_at = excluded.asked_at
               where key_destruction.confirmed_at is null""",
        (principal, by, at),
    )


def confirm(conn: Connection, principal: Principal, by: str, at: datetime, fingerprints: Mapping[str, str]) -> None:
    """Note the confirmation. From here on the keys have to go."""
    conn.execute(
        """update key_destruction set confirmed_by = %s, confirmed_at = %s, fingerprints = %s
           where principal = %s and confirmed_at is null""",
        (by, at, json.dumps(dict(fingerprints)), principal),
    )


def end(conn: Connection, principal: Principal, at: datetime) -> bool:
    """Note that the keys are gone. False if another worker noted it first."""
    row = conn.execute(
        """update key_destruction set destroyed_at = %s where principal = %s and destroyed_at is null
           returning 1 as ended""",
        (at, principal),
    ).fetchone()
    return row is not None


def standing(conn: Connection, principal: Principal, today: date) -> Unfinished:
    """Count what must be over first. ``today``: Brussels date."""
    row = conn.execute(
        f"""select
            (select count(*) from activation a join document d using (sha256)
             where a.kind = 'agreement' and d.principal = %(name)s and a.known_to is null and a.state = 'active'
               and (a.valid_to is null or a.valid_to >= %(today)s)) as in_force,
            (select count(*) from subject_case c where c.state not in ('CLOSED', 'WITHDRAWN_BY_SUBJECT')
               and (c.principal = %(name)s or exists (select from sub_case p
                   where p.case_id = c.case_id and p.principal = %(name)s))) as cases,
            (select count(*) from suppression_run r where r.principal = %(name)s and r.lifted_at is null
               and r.reason in ('soft_hold', 'restricted'))
            + (select count(*) from legal_hold l where l.principal = %(name)s and l.lifted_at is null
               and l.until >= %(today)s) as holds,
            (select count(*) from notice n where n.principal = %(name)s and n.state <> 'DONE'
               and not {NEVER_GOES}) as notices,
            (select count(*) from exchange e where e.principal = %(name)s and (e.decision = 'open'
               or exists (select from outbox o where o.exchange_id = e.exchange_id
                   and o.done_at is null and o.effect <> %(changed)s))) as exchanges,
            (select count(*) from copy c join exchange e using (exchange_id) where e.principal = %(name)s
               and c.gone_at is null and c.kind not in ('index', 'index.rest', 'findings', 'held', 'return.findings')
               and c.kind not like 'quarantine.%%')
            + (select count(*) from answer w where %(name)s = any(w.principals) and w.gone_at is null)
            + (select count(*) from consent_run s where s.principal = %(name)s and s.gone_at is null) as copies,
            (select coalesce(sum(r.refs), 0)::bigint from suppression_run r
             where r.principal = %(name)s and r.lifted_at is null) as kept_out""".encode(),
        {"name": principal, "today": today, "changed": Effect.CHANGED},
    ).fetchone()
    assert row is not None  # a select without a table always has one row
    return Unfinished(**row)
