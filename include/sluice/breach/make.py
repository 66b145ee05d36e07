"""Make a breach slice: from an exchange, an object or an agent's account, find who is in it and who must be told.

This only reads: nothing changes, so nothing is written to the ledger. People document what was decided (Art. 33(5)).
``aware_at`` is the moment we became aware; every function raises ClockRefused if it lies in the future.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import NoReturn

from sluice.agreement.clauses.annexes import Known, own_party
from sluice.agreement.in_force.store import list_agreements
from sluice.breach import store
from sluice.breach.count import NOBODY, WHOLE, Remains, count_in, rows_gone, whole_of
from sluice.breach.model import Counted, PrincipalPart, Risk, Scope, Slice, SliceEmpty
from sluice.breach.rules import duties_of, is_unnamed_special, lines_of
from sluice.errors import NotFound, Ref, as_typed
from sluice.exchange.house import House
from sluice.exchange.read import show_exchange
from sluice.keys import KeyDestroyed
from sluice.ledger.record import ExchangeRecord
from sluice.lineage.store import find_lying, find_users
from sluice.lineage.trace import address_of, read_records
from sluice.rights.case.facts import ClockRefused, clock_parameters
from sluice.rights.copies.copy_store import find_copies
from sluice.rights.copies.model import Copy
from sluice.terms import ExchangeId, Principal
from sluice.times import brussels_day, brussels_today

REFERENCE = re.compile("[0-9a-f]{32}")
"""The form of a reference to an agent or an account, as :mod:`sluice.staff.refs` makes it."""
LATEST = timedelta(days=31)
"""How long after a window results about it may arrive: platforms report a call again, but not for ever."""
Lost = Mapping[str, Mapping[str, int | None]]
"""Copies that no longer exist: how many rows they had, by exchange and kind; None if that is not known."""
NONE_LOST: Lost = MappingProxyType({})


def slice_exchange(house: House, named: str, aware_at: datetime, risk: Risk = Risk.UNDECIDED) -> Slice:
    """The slice of one exchange. ``named``: its id or an unambiguous beginning. Raises NotFound, SliceEmpty."""
    exchange_id = show_exchange(house.conn, named).line.id
    return _slice(house, Scope("exchange", exchange_id), {exchange_id: None}, aware_at, risk)


def slice_object(house: House, url: str, aware_at: datetime, risk: Risk = Risk.UNDECIDED) -> Slice:
    """The slice of one object, ``s3://bucket/key`` with ``?versionId=`` for one version. Raises SliceEmpty.

    A version that an erasure replaced is gone; it held at most the persons that the record counts.
    """
    address = address_of(url)
    if address is None:
        _empty("object", "with an address that is not s3://bucket/key")
    touched: dict[str, set[str] | None] = {}
    replaced: dict[str, dict[str, int | None]] = {}
    for each in find_lying(house.conn, address.bucket, address.key, address.version_id):
        kinds = {each.kind} if each.kind else None
        touched[each.exchange_id] = (touched.get(each.exchange_id) or set()) | kinds if kinds else None
        if each.kind and each.is_replaced:
            replaced.setdefault(each.exchange_id, {})[each.kind] = None
    return _slice(house, Scope("object", url), touched, aware_at, risk, replaced)


def slice_agent(
    house: House, ref: str, since: datetime, until: datetime, aware_at: datetime, risk: Risk = Risk.UNDECIDED
) -> Slice:
    """The slice of what an agent, or an account of a platform, wrote from ``since`` until before ``until``.

    Held or refused rows and files refused as a whole are read as well. Raises SliceEmpty; raises NotFound for text
    that is no reference, because rows that nobody can read would otherwise be attributed to it.
    """
    if not REFERENCE.fullmatch(ref):
        raise NotFound(as_typed("agent", ref))
    days = (brussels_day(since), brussels_day(until - timedelta(microseconds=1)))
    scope = Scope("agent", ref, since.astimezone(UTC), until.astimezone(UTC))
    found = store.find_results(house.conn, *days, until + LATEST)
    touched = {exchange: None if is_whole else {*store.SEALED} for exchange, is_whole in found.items()}
    return _slice(house, scope, dict(touched), aware_at, risk)


def _slice(
    house: House,
    scope: Scope,
    touched: dict[str, set[str] | None],
    aware_at: datetime,
    risk: Risk,
    replaced: Lost = NONE_LOST,
) -> Slice:
    """Make the slice. ``touched``: kinds of copies by exchange; None stands for the whole exchange.

    ``replaced``: copies among them that were asked for in a version that is gone. Raises ClockRefused for a future
    ``aware_at``, SliceEmpty.
    """
    now = datetime.now(UTC)
    if aware_at > now:  # the hours would begin later than they do
        raise ClockRefused(Ref("rule", "AWARE_IN_THE_FUTURE"))
    owners = store.find_principals(house.conn, list(touched))
    known = list_agreements(house.conn, now)
    gone = store.find_gone(house.conn, list(touched))
    lost = {each: {**gone.get(each, {}), **replaced.get(each, {})} for each in {*gone, *replaced}}
    parts = []
    for principal in sorted(set(owners.values())):
        own = {exchange: kinds for exchange, kinds in touched.items() if owners.get(exchange) == principal}
        part = _part(house, scope, Principal(principal), own, lost, known)
        if part is not None:
            parts.append(part)
    if not parts:
        _empty(scope.kind, "that was named")
    on = brussels_day(aware_at)
    settings = house.settings
    return Slice(
        scope=scope,
        aware_at=aware_at,
        risk=risk,
        center=own_party(known, settings.center, settings.center_name),
        parts=tuple(parts),
        duties=duties_of(parts, settings.center, aware_at, risk, clock_parameters(on)),
        made_at=now,
    )


def _part(
    house: House,
    scope: Scope,
    principal: Principal,
    touched: dict[str, set[str] | None],
    lost: Lost,
    known: Sequence[Known],
) -> PrincipalPart | None:
    """The slice of one principal; None if an agent is asked for who made nothing there."""
    records = tuple(read_records(house.conn, touched))
    copies = _copies(house, principal, touched, lost)
    erased = _erased(copies, store.find_erased(house.conn, list(touched)))
    remains = Remains(records, copies, _gone(touched, copies, lost), erased)
    counted = _counted(house, principal, scope, remains)
    undecided = set(touched) - {record.exchange_id for record in records}
    counted = _with_unread(counted, "not decided", undecided)
    if scope.kind == "agent":
        whole = {exchange for exchange, kinds in touched.items() if kinds is None} - undecided
        counted = _with_unread(counted, "gone", whole - {copy.exchange_id for copy in copies})
        touched = {exchange: kinds for exchange, kinds in touched.items() if exchange in counted.concerned}
        records = tuple(record for record in records if record.exchange_id in touched)
        if not touched:
            return None
    papers = {copy.exchange_id: copy.contract for copy in copies}
    lines = {each.exchange_id: lines_of(each, papers.get(ExchangeId(each.exchange_id))) for each in records}
    made_under = _papers(known, records, principal)
    return PrincipalPart(
        principal=principal,
        known=made_under[0] if made_under else None,
        exchanges=tuple(sorted(touched)),
        went_into=tuple(sorted(set(find_users(house.conn, list(touched))) - set(touched))),
        counted=counted,
        lines=tuple(dict.fromkeys(line for own in lines.values() for line in own)),
        recipients=tuple(sorted({name for each in records for name in _receivers(each, house.settings.center)})),
        countries=tuple(sorted({country for each in records for country in each.who.countries})),
        also_under=made_under[1:],
        is_unnamed_special=any(is_unnamed_special(each, lines[each.exchange_id]) for each in records),
    )


def _counted(house: House, principal: Principal, scope: Scope, remains: Remains) -> Counted:
    """Count persons in what remains; if no copy or no key of their references is left, use what the records say."""
    if not remains.copies:
        return _without_names(remains.records)
    try:
        return count_in(house, principal, scope, remains)
    except KeyDestroyed:
        return _without_names(remains.records)


def _with_unread(counted: Counted, word: str, exchanges: set[str]) -> Counted:
    """Add exchanges as unread: not decided yet, or without any copy, so that nobody knows who is in them."""
    if not exchanges:
        return counted
    unread = (*counted.unread, *(f"{word} {each}" for each in sorted(exchanges)))
    concerned = counted.concerned | exchanges
    return replace(counted, unread=tuple(dict.fromkeys(unread)), at_most=None, concerned=concerned)


def _gone(touched: Mapping[str, set[str] | None], copies: Sequence[Copy], lost: Lost) -> dict[str, int | None]:
    """Exchanges that lost rows that were asked for, with how many rows; None if that is not known."""
    read: dict[str, set[str]] = {}
    for copy in copies:
        read.setdefault(copy.exchange_id, set()).add(copy.kind)
    rows = {each: rows_gone(kinds, read.get(each, ()), lost[each]) for each, kinds in touched.items() if each in lost}
    return {exchange: count for exchange, count in rows.items() if count != 0}


def _erased(copies: Sequence[Copy], taken: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """How many rows erasures took out of the copies that are counted, by exchange."""
    found: dict[str, int] = {}
    for copy in copies:
        rows = 0 if copy.kind in NOBODY else taken.get(copy.exchange_id, {}).get(copy.kind, 0)
        if rows:
            found[copy.exchange_id] = found.get(copy.exchange_id, 0) + rows
    return found


def _copies(house: House, principal: Principal, touched: Mapping[str, set[str] | None], lost: Lost) -> list[Copy]:
    """The copies to count: those of the kinds asked for, or those that hold every row of a whole exchange once."""
    there = find_copies(house.conn, principal, among=[ExchangeId(each) for each in touched])
    own = [copy for copy in there if copy.exchange_id in touched]
    still = [copy for copy in own if copy.kind not in lost.get(copy.exchange_id, ())]
    named = [copy for copy in still if copy.kind in (touched[copy.exchange_id] or ())]
    torn = {exchange for exchange, kinds in lost.items() if set(kinds) & set(WHOLE)}
    return [*named, *whole_of([copy for copy in own if touched[copy.exchange_id] is None], torn)]


def _without_names(records: Sequence[ExchangeRecord]) -> Counted:
    """The count if nothing can be read: all that is known is what the records say."""
    counts = [record.what.distinct_subjects for record in records]
    gone = tuple(f"gone {record.exchange_id}" for record in records)
    known = [count for count in counts if count is not None]
    at_most = sum(known) if known and len(known) == len(counts) else None
    return Counted(0, 0, 0, gone, at_most, concerned=frozenset(record.exchange_id for record in records))


def _receivers(record: ExchangeRecord, center: str) -> list[str]:
    return [name for name in (*record.who.recipients, *record.who.sub_processors) if name != center]


def _papers(known: Sequence[Known], records: Sequence[ExchangeRecord], principal: str) -> tuple[Known, ...]:
    """The agreements under which these exchanges were made, starting with that of the youngest exchange.

    If no record names one: those of the principal that hold today, else its youngest.
    """
    by_name: dict[tuple[str | None, str | None], Known] = {
        (each.agreement.agreement_id, each.agreement.version): each for each in known
    }
    names = dict.fromkeys((each.why.agreement_id, each.why.agreement_version) for each in reversed(records))
    found = [by_name[name] for name in names if name in by_name]
    own = sorted((each for each in known if each.agreement.principal == principal), key=lambda each: each.days.first)
    today = brussels_today()
    return tuple(found or [each for each in reversed(own) if today in each.days] or own[-1:])


def _empty(kind: str, name: str) -> NoReturn:
    raise SliceEmpty(Ref(kind, name))
