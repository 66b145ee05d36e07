"""A house in which files, results and returns came one after the other, over several days."""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from sluice.agreement.in_force.store import activate
from sluice.agreement.papers import Registration
from sluice.db import Connection
from sluice.exchange.close import close_record
from sluice.exchange.store import get_opened
from sluice.ledger.model import EntryKind
from sluice.ledger.record import ExchangeRecord
from sluice.ledger.returned import PreparedReturn
from sluice.ledger.store import find_entry
from sluice.returns import store
from sluice.returns.carry import wait_for_release
from sluice.returns.due import cut_off_of, open_due
from sluice.terms import Decision, ExchangeId, Flow, Principal, Sha256
from support.night import DUE_DAY, RESULTS, Night

ENERGY, CONTACTS, OTHERS = Principal("energy01"), Flow("renewal_campaign"), Flow("other_campaign")
CUT_OFF, LATER = dt.time(6), dt.time(8)
RETURN = "energy01.outbound_return.renewal_results"
DAYS = tuple(DUE_DAY - timedelta(days=back) for back in (1, 2, 3))
EARLY, LATE = cut_off_of(DAYS[2], CUT_OFF) - timedelta(hours=1), datetime.now(UTC)
COPIED = """principal, direction, bucket, size_bytes, chain, decision, purposes, rows_in, rows_accepted,
    rows_refused, rows_held, said_id"""


@dataclass
class Past:
    """A house in which things happen one after the other, each by the SQL or the use case that does it at work."""

    night: Night = field(repr=False)
    record: ExchangeRecord = field(repr=False)
    """Of a return that was made in earnest: what others are closed by."""
    clock: Iterator[datetime] = field(
        default_factory=lambda: (datetime.now(UTC) + timedelta(minutes=n) for n in count(1))
    )
    contacts: Flow = CONTACTS
    cut_off: dt.time = CUT_OFF
    version: int = 0
    """How often the agreement was replaced."""

    @property
    def conn(self) -> Connection:
        return self.night.desk.house.conn

    def arrive(self, flow: Flow, closed_at: datetime, *days: date, is_receipted: bool = True) -> None:
        """A file of contacts, or of results with contacts on these days, was accepted."""
        new = str(uuid4())
        self.conn.execute(
            f"""insert into exchange (exchange_id, key, version_id, sha256, opened_at, closed_at, receipt_at, flow,
                    {COPIED})
                select %(new)s::uuid, %(new)s::text, %(new)s::text, %(new)s::text, %(at)s, %(at)s, %(receipt)s,
                    %(flow)s, {COPIED}
                from exchange where flow = %(like)s and direction <> 'outbound_return'
                    and decision in ('accepted', 'partly_accepted') order by opened_at limit 1""",
            {
                "new": new,
                "at": closed_at,
                "receipt": closed_at if is_receipted else None,
                "flow": flow,
                "like": RESULTS if flow == RESULTS else CONTACTS,
            },
        )
        self.conn.execute(
            """insert into copy (exchange_id, kind, bucket, key, version_id, sha256, size_bytes)
               values (%(new)s::uuid, 'lake', 'lake', %(new)s::text, %(new)s::text, %(new)s::text, 1)""",
            {"new": new},
        )
        for day in days:
            self.conn.execute("insert into result_day (exchange_id, day, rows) values (%s, %s, 1)", (new, day))

    def receipt(self) -> None:
        """Receipts that waited are given: the files are visible from now on, however long ago they were closed."""
        self.conn.execute("update exchange set receipt_at = now() where receipt_at is null and closed_at is not null")

    def lose(self, flow: Flow, place: int) -> None:
        """Remove the rows of one file from the lake, as at the end of its retention."""
        self.conn.execute(
            """update copy set gone_at = now() where kind = 'lake' and exchange_id = (
                   select exchange_id from accepted_data where flow = %s
                   order by closed_at, exchange_id offset %s limit 1)""",
            (flow, place),
        )

    def end(self, place: int, outcome: str, held: str | None) -> None:
        """One return that is open is prepared, delivered, or refused: for good, or because an input of it was gone."""
        row = self.conn.execute(
            """select exchange_id::text as id, prepared_at from exchange where direction = 'outbound_return'
               and decision = 'open' order by day, opened_at offset %s limit 1""",
            (place,),
        ).fetchone()
        if row is None or (row["prepared_at"] and outcome == "prepared"):
            return
        house, opened = self.night.desk.house, get_opened(self.conn, row["id"])
        record = self._record(opened.exchange_id, outcome, held)
        if outcome == "prepared":
            wait_for_release(house, opened, record, frozenset(), "airflow")
        else:
            close_record(house, opened, record)

    def _record(self, exchange_id: ExchangeId, outcome: str, held: str | None) -> ExchangeRecord:
        is_refused = outcome not in ("delivered", "prepared")
        told = self.record.right_treatment.model_copy(update={"held_back": {held: 1} if held else {}})
        return self.record.model_copy(
            update={
                "exchange_id": exchange_id,
                "decision": Decision.REFUSED if is_refused else Decision.ACCEPTED,
                "reason_code": outcome if is_refused else None,
                "how_long": self.record.how_long.model_copy(update={"copies": ()}),
                "what": self.record.what.model_copy(update={"inputs": (), "sha256": str(uuid4())}),
                "right_treatment": told,
            }
        )

    def lift(self, reason: str = "restricted") -> None:
        """Lift a restriction, or something else, so that a person who was held back may go again."""
        self.conn.execute(
            """insert into suppression_run (run_id, principal, reason, bucket, key, version_id, sha256, refs, made_at,
                   lifted_at) values (gen_random_uuid(), %s, %s, '', '', '', '', 1, %s, %s)""",
            (ENERGY, reason, EARLY, next(self.clock)),
        )

    def agree_anew(self) -> None:
        """Another contract holds than the one that returns were opened under."""
        self.conn.execute(
            """update exchange set version_id = regexp_replace(version_id, 'contract-.*', 'contract-')
                   || gen_random_uuid() where direction = 'outbound_return'"""
        )

    def agree_on(self, contacts: Flow, cut_off: dt.time) -> None:
        """The agreement is replaced by one with this cut-off, and returns are made of this flow of contacts."""
        self.contacts, self.cut_off, self.version = contacts, cut_off, self.version + 1
        version = f"3.{self.version}.0"
        agreement = self._paper(
            "DPA-ENERGY01",
            ("\nversion: 3.0.0", f"\nversion: {version}"),
            ('cutOff: "06:00"', f'cutOff: "{cut_off:%H:%M}"'),
        )
        contract = self._paper(
            RETURN,
            ("agreementVersion, value: 3.0.0", f"agreementVersion, value: {version}"),
            (f"contactsFlow, value: {CONTACTS}", f"contactsFlow, value: {contacts}"),
        )
        both = (
            registered("agreement", "DPA-ENERGY01", version, agreement),
            registered("contract", RETURN, "1.0.0", contract, "DPA-ENERGY01", version),
        )
        activate(self.conn, both, next(self.clock))

    def _paper(self, name: str, *changes: tuple[str, str]) -> str:
        """The text of the paper with which the installation began, with these changes."""
        row = self.conn.execute(
            """select body from document join activation using (sha256)
               where activation.document_id = %s and version in ('3.0.0', '1.0.0') order by activated_at limit 1""",
            (name,),
        ).fetchone()
        assert row is not None
        text = bytes(row["body"]).decode()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        return text

    def look(self) -> None:
        """What a look finds is what reading everything would find, and at once afterwards it finds nothing of it."""
        now = next(self.clock)
        read = days_read(self, now)
        opened = open_due(self.night.desk.house, ENERGY, RESULTS, now)
        assert [each.day for each in opened] == read


def registered(kind: str, name: str, version: str, text: str, *pin: str) -> Registration:
    """A paper that holds as long as the one before it, and takes its place."""
    body, since = text.encode(), date(2026, 1, 1)
    sha256 = Sha256(hashlib.sha256(body).hexdigest())
    return Registration(kind, name, version, ENERGY, "active", since, None, "energy01/paper", body, sha256, *pin)


def days_read(past: Past, now: datetime) -> list[date]:
    """The days that are due, by reading all that was ever made and every file that is there, day by day."""
    conn, found = past.conn, list[date]()
    rows = conn.execute("select distinct day from result_day join accepted_data using (exchange_id) order by day")
    for day in [row["day"] for row in rows.fetchall()]:
        if cut_off_of(day, past.cut_off) <= now and is_due_by_reading(past, day):
            found.append(day)
    return found


def is_due_by_reading(past: Past, day: date) -> bool:
    conn = past.conn
    last = conn.execute(
        """select exchange_id::text as id, decision, reason_code, opened_at, version_id from exchange
           where direction = 'outbound_return' and day = %s order by opened_at desc, exchange_id limit 1""",
        (day,),
    ).fetchone()
    results = store.find_results(conn, ENERGY, RESULTS, day)
    if last is None:
        return True
    held = set(_record_of(conn, last["id"]))
    had = conn.execute("select input_id::text as id from return_input where exchange_id = %s", (last["id"],)).fetchall()
    ids = {row["id"] for row in had}
    may_lift = held & {"RESULT_UNKNOWN_RECORD", "HEADER_SOURCE_MISSING"} and not _lacks(conn, day, last)
    until = None if may_lift else max([cut_off_of(day, past.cut_off), *(each.closed_at for each in results)])
    inputs = {each.exchange_id for each in [*results, *store.find_contacts(conn, ENERGY, past.contacts, until)]}
    is_refused = last["decision"] in ("refused", "undecided")
    rows = conn.execute("select reason from suppression_run where lifted_at > %s", (last["opened_at"],)).fetchall()
    lifted = {row["reason"] for row in rows}
    return (
        not inputs <= ids
        or (is_refused and (last["reason_code"] == "STALE_INPUT_GONE" or _is_of_another_contract(conn, last)))
        or (bool(held & {"objected", "restricted", "soft_hold"}) and bool(lifted))
        or bool(held & lifted & {"erased"})
    )


def _record_of(conn: Connection, exchange_id: str) -> Mapping[str, int]:
    """Held rows by code, as the ledger has them."""
    closed = find_entry(conn, ExchangeId(exchange_id), EntryKind.EXCHANGE_CLOSED)
    if closed is not None:
        return ExchangeRecord.model_validate_json(closed.body).right_treatment.held_back
    prepared = find_entry(conn, ExchangeId(exchange_id), EntryKind.RETURN_PREPARED)
    return PreparedReturn.model_validate_json(prepared.body).record.right_treatment.held_back if prepared else {}


def _lacks(conn: Connection, day: date, last: Mapping[str, Any]) -> bool:
    was_made = conn.execute(
        """select 1 from exchange where direction = 'outbound_return' and day = %s
           and decision in ('accepted', 'partly_accepted') limit 1""",
        (day,),
    ).fetchone()
    gone = conn.execute(
        """select 1 from return_input where exchange_id = %s and input_id not in (select exchange_id from accepted_data)
           limit 1""",
        (last["id"],),
    ).fetchone()
    return (last["decision"] == "open" or was_made is not None) and gone is not None


def _is_of_another_contract(conn: Connection, last: Mapping[str, Any]) -> bool:
    row = conn.execute(
        "select sha256 from activation where document_id = %s and known_to is null", (RETURN,)
    ).fetchone()
    assert row is not None
    return f"contract-{row['sha256'][:16]}" not in last["version_id"]
