"""Which days are due is found without reading what was made of them, and is what reading it all would find."""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from copies import Copies
from night import DUE_DAY, RESULTS, Call, Night, copied_night, three_returned
from sluice import migrations
from sluice.agreement.in_force.store import activate
from sluice.agreement.papers import Registration
from sluice.db import Connection
from sluice.exchange.close import close_record
from sluice.exchange.store import get_open
from sluice.ledger.model import EntryKind
from sluice.ledger.record import ExchangeRecord
from sluice.ledger.returned import PreparedReturn
from sluice.ledger.store import find_entry
from sluice.returns import store
from sluice.returns.carry import wait_for_release
from sluice.returns.due import cut_off_of, open_due
from sluice.terms import Decision, ExchangeId, Flow, Principal, Sha256

pytestmark = pytest.mark.stores
ENERGY, CONTACTS, OTHERS = Principal("energy01"), Flow("renewal_campaign"), Flow("other_campaign")
CUT_OFF, LATER = dt.time(6), dt.time(8)
RETURN = "energy01.outbound_return.renewal_results"
DAYS = tuple(DUE_DAY - timedelta(days=back) for back in (1, 2, 3))
EARLY, LATE = cut_off_of(DAYS[2], CUT_OFF) - timedelta(hours=1), datetime.now(UTC)
BETWEEN = tuple(cut_off_of(day, LATER) - timedelta(minutes=5) for day in DAYS)
MOMENTS = (EARLY, *(cut_off_of(day, CUT_OFF) - timedelta(minutes=5) for day in DAYS), *BETWEEN, LATE)
"""When a file is closed: before all cut-offs, right before one of them, before a later one of the day, after all."""
HELD = ("RESULT_UNKNOWN_RECORD", "restricted", "erased", "AGENT_UNKNOWN", "RESULT_OTHER_PERSON")
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
        """The retention of one file ends."""
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
        house, opened = self.night.desk.house, get_open(self.conn, row["id"])
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

    def lift(self) -> None:
        """Somebody may go again."""
        self.conn.execute(
            """insert into suppression_run (run_id, principal, reason, bucket, key, version_id, sha256, refs, made_at,
                   lifted_at) values (gen_random_uuid(), %s, 'restricted', '', '', '', '', 1, %s, %s)""",
            (ENERGY, EARLY, next(self.clock)),
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
        """The text of the paper that the night began with, changed."""
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
    may_lift = "RESULT_UNKNOWN_RECORD" in held and not _lacks(conn, day, last)
    until = None if may_lift else max([cut_off_of(day, past.cut_off), *(each.closed_at for each in results)])
    inputs = {each.exchange_id for each in [*results, *store.find_contacts(conn, ENERGY, past.contacts, until)]}
    is_refused = last["decision"] in ("refused", "undecided")
    lifted = conn.execute("select 1 from suppression_run where lifted_at > %s limit 1", (last["opened_at"],)).fetchone()
    return (
        not inputs <= ids
        or (is_refused and (last["reason_code"] == "STALE_INPUT_GONE" or _is_of_another_contract(conn, last)))
        or (bool(held & {"objected", "restricted", "soft_hold"}) and lifted is not None)
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


FLOWS, PLACES = st.sampled_from([CONTACTS, OTHERS, RESULTS]), st.integers(0, 2)
OUTCOMES = st.sampled_from(["prepared", "delivered", "DUPLICATE_CONTENT", "STALE_INPUT_GONE", "FORBIDDEN_COUNTRY"])
STEPS = st.one_of(
    st.tuples(st.just("look")),
    st.tuples(st.just("look")),
    st.tuples(st.sampled_from(["contacts", "others"]), st.sampled_from(MOMENTS), st.booleans()),
    st.tuples(st.just("agree_on"), st.sampled_from([CONTACTS, OTHERS]), st.sampled_from([CUT_OFF, LATER])),
    st.tuples(st.just("results"), st.sampled_from(MOMENTS), st.lists(st.sampled_from(DAYS), min_size=1, unique=True)),
    st.tuples(st.just("end"), PLACES, OUTCOMES, st.none() | st.sampled_from(HELD)),
    st.tuples(st.just("end"), PLACES, OUTCOMES, st.just(HELD[0])),
    st.tuples(st.just("lose"), FLOWS, PLACES),
    st.tuples(st.sampled_from(["receipt", "lift", "agree_anew"])),
)


OPENED: list[tuple[Any, ...]] = [("results", EARLY, [DAYS[0]]), ("look",)]
UNKNOWN = [("end", 0, "delivered", "RESULT_UNKNOWN_RECORD"), ("look",)]
RETURNED_UNKNOWN = [*OPENED, *UNKNOWN, *UNKNOWN]
"""The second one has the contacts that came after the cut-off."""
RETURNED_RESTRICTED = [*OPENED, ("end", 0, "delivered", "restricted"), ("look",)]


def take(past: Past, step: tuple[Any, ...]) -> None:
    name, *given = step
    if name in ("contacts", "others"):
        past.arrive(CONTACTS if name == "contacts" else OTHERS, given[0], is_receipted=given[1])
    elif name == "results":
        past.arrive(RESULTS, given[0], *given[1])
    else:
        getattr(past, name)(*given)


@contextmanager
def rolled_back(conn: Connection) -> Iterator[None]:
    with conn.transaction(force_rollback=True):
        yield


@pytest.fixture
def returned(copies: Copies, tmp_path: Path) -> Iterator[Past]:
    """Three were called and returned."""
    with copied_night(copies, tmp_path, fill=three_returned) as night:
        [line] = night.returns()
        yield Past(night, night.record(line))


@settings(
    max_examples=60,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)
@given(steps=st.lists(STEPS, min_size=4, max_size=25))
@example(steps=[*RETURNED_UNKNOWN, ("contacts", LATE, True)])
@example(steps=[*RETURNED_UNKNOWN, ("contacts", LATE, False), ("look",), ("receipt",)])
@example(steps=[*RETURNED_UNKNOWN, ("lose", RESULTS, 0), ("contacts", LATE, True), ("look",), ("lose", CONTACTS, 0)])
@example(steps=[*RETURNED_RESTRICTED, ("lift",), ("look",), ("lift",)])
@example(steps=[*RETURNED_RESTRICTED, ("contacts", EARLY, False), ("contacts", LATE, True), ("look",), ("receipt",)])
@example(steps=[*RETURNED_RESTRICTED, ("results", LATE, [DAYS[0]]), ("look",), ("contacts", EARLY, True)])
@example(steps=[*RETURNED_RESTRICTED, ("results", EARLY, [DAYS[0]]), ("look",), ("contacts", EARLY, True)])
@example(steps=[*OPENED, ("end", 0, "FORBIDDEN_COUNTRY", None), ("look",), ("agree_anew",)])
@example(steps=[*OPENED, ("lose", CONTACTS, 0), ("look",), ("end", 0, "STALE_INPUT_GONE", None)])
@example(
    steps=[
        ("contacts", EARLY, True),
        *OPENED,
        ("end", 0, "prepared", HELD[0]),
        ("lose", CONTACTS, 0),
        ("look",),
        ("end", 0, "DUPLICATE_CONTENT", HELD[0]),
    ]
)
@example(steps=[*OPENED, ("end", 0, "prepared", HELD[0]), ("look",), ("contacts", LATE, True)])
@example(steps=[*OPENED, ("contacts", LATE, True), ("look",), ("end", 0, "delivered", HELD[0])])
@example(
    steps=[
        ("contacts", EARLY, True),
        ("others", EARLY, True),
        *RETURNED_RESTRICTED,
        ("agree_on", OTHERS, CUT_OFF),
    ]
)
@example(
    steps=[
        *(("contacts", at, True) for at in (EARLY, BETWEEN[0])),
        *OPENED,
        ("end", 0, "delivered", "RESULT_UNKNOWN_RECORD"),
        ("lose", CONTACTS, 0),
        ("look",),
        ("agree_on", CONTACTS, LATER),
    ]
)
def test_a_look_finds_the_days_that_reading_everything_finds(returned: Past, steps: list[tuple[Any, ...]]) -> None:
    past = replace(returned)
    with rolled_back(past.conn):
        for step in [*steps, ("look",), ("look",)]:
            take(past, step)


class Counted(psycopg.Cursor[Any]):
    """Counts what is asked, and the entries of the ledger among the answers."""

    statements, entries = 0, 0

    def execute(self, query: Any, *given: Any, **kwargs: Any) -> Any:
        Counted.statements += 1
        done = super().execute(query, *given, **kwargs)
        Counted.entries += self.rowcount if "ledger.entry" in str(query) else 0
        return done


def year_returned(past: Past) -> None:
    """365 days, each with two files of contacts and one of results, and a return of all that was there by then."""
    for back in range(365):
        day = DUE_DAY - timedelta(days=364 - back)
        closed_at = cut_off_of(day, CUT_OFF) - timedelta(hours=1)
        for _ in range(2):
            past.arrive(CONTACTS, closed_at)
        past.arrive(RESULTS, closed_at, day)
    assert len(open_due(past.night.desk.house, ENERGY, RESULTS, next(past.clock))) == 365
    past.conn.execute(
        """update exchange set decision = 'accepted', closed_at = opened_at, held_codes = '{RESULT_OTHER_PERSON}',
               said_id = (select max(said_id) from exchange)
           where direction = 'outbound_return' and decision = 'open'"""
    )
    past.look()


def test_a_look_at_a_year_of_which_nothing_is_due_asks_as_much_as_one_at_a_day(
    returned: Past, record_property: Callable[[str, object], None]
) -> None:
    def asked() -> tuple[int, int]:
        Counted.statements, Counted.entries = 0, 0
        returned.conn.cursor_factory = Counted
        assert open_due(returned.night.desk.house, ENERGY, RESULTS, next(returned.clock)) == []
        returned.conn.cursor_factory = psycopg.Cursor
        return Counted.statements, Counted.entries

    with rolled_back(returned.conn):
        returned.look()
        of_a_day = asked()
        year_returned(returned)
        of_a_year = asked()
    assert of_a_year == of_a_day == (of_a_day[0], 0)
    assert of_a_day[0] < 20
    said = f"{of_a_year[0]}, {of_a_year[1]} entries of the ledger read"
    record_property("returns: statements of a look at 365 days of which none is due", said)


def test_codes_of_what_was_closed_or_prepared_before_are_noted_when_the_database_is_brought_up(night: Night) -> None:
    def noted() -> list[tuple[str, set[str]]]:
        rows = night.desk.house.conn.execute("select decision, held_codes from exchange where held_codes <> '{}'")
        return [(row["decision"], set(row["held_codes"])) for row in rows]

    def wiped_and_brought_up() -> list[tuple[str, set[str]]]:
        script = Path(migrations.__file__).parent / "versions" / "0043_inputs_seen.sql"
        url = night.desk.settings.database_admin_url
        assert url is not None
        with psycopg.connect(url.get_secret_value()) as admin:
            admin.execute("update sluice.exchange set held_codes = '{}'")
            admin.execute(script.read_text("utf-8").partition("reset role;")[2].encode())
        return noted()

    first, second = night.people(2)
    night.called(Call("c1", *first), Call("c2", *second, agent="agent02"), Call("c3", "no-such-record", "+32470000009"))
    night.make()
    prepared = noted()
    assert prepared == [("open", {"STAFF_EXAM_BELOW_MINIMUM", "RESULT_UNKNOWN_RECORD"})]
    assert wiped_and_brought_up() == prepared
    night.release(night.returns()[0])
    closed = noted()
    assert closed == [("partly_accepted", prepared[0][1])]
    assert wiped_and_brought_up() == closed
