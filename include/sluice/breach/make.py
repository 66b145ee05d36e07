"""A breach slice: from an exchange, an object or an agent's account to who is in it and who must be told.

A read: nothing is changed, so nothing stands in the ledger. What was decided (Art. 33(5)) is for people to write down.
``aware_at`` of every slice: since when we know, which is never a moment to come (ClockRefused).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from sluice.agreement.annexes import Known, own_party
from sluice.agreement.store import list_agreements
from sluice.breach import store
from sluice.breach.count import NOBODY, WHOLE, count_in, rows_gone, whole_of
from sluice.breach.model import Counted, Part, Risk, Scope, Slice, SliceEmpty
from sluice.breach.rules import duties_of, lines_of
from sluice.errors import Ref
from sluice.exchange.house import House
from sluice.exchange.naming import BRUSSELS
from sluice.exchange.read import show_exchange
from sluice.keys import KeyDestroyed
from sluice.ledger.record import ExchangeRecord
from sluice.lineage.store import find_users
from sluice.lineage.trace import address_of, read_records
from sluice.rights.erase_model import Copy
from sluice.rights.erase_store import find_copies
from sluice.rights.facts import ClockRefused, clock_parameters
from sluice.terms import ExchangeId, Principal

LAKE = "lake"


def slice_exchange(house: House, named: str, aware_at: datetime, risk: Risk = Risk.UNDECIDED) -> Slice:
    """All data of one exchange. ``named``: its id or an unambiguous beginning. Raises NotFound, SliceEmpty."""
    exchange_id = show_exchange(house.conn, named).line.id
    return _slice(house, Scope("exchange", exchange_id), {exchange_id: None}, aware_at, risk)


def slice_object(house: House, url: str, aware_at: datetime, risk: Risk = Risk.UNDECIDED) -> Slice:
    """One object, ``s3://bucket/key`` with ``?versionId=`` for one version. Raises SliceEmpty."""
    address = address_of(url)
    if address is None:
        _empty("object", "with an address that is not s3://bucket/key")
    found = store.find_kinds(house.conn, address.bucket, address.key, address.version_id)
    return _slice(house, Scope("object", url), dict(found), aware_at, risk)


def slice_agent(
    house: House, ref: str, since: datetime, until: datetime, aware_at: datetime, risk: Risk = Risk.UNDECIDED
) -> Slice:
    """What an agent, or an account of a platform, wrote from ``since`` until before ``until``. Raises SliceEmpty."""
    days = (since.astimezone(BRUSSELS).date(), (until - timedelta(microseconds=1)).astimezone(BRUSSELS).date())
    scope = Scope("agent", ref, since.astimezone(UTC), until.astimezone(UTC))
    found = {exchange: {LAKE} for exchange, _ in store.find_results(house.conn, *days)}
    return _slice(house, scope, dict(found), aware_at, risk)


def _slice(house: House, scope: Scope, touched: dict[str, set[str] | None], aware_at: datetime, risk: Risk) -> Slice:
    """``touched``: kinds of copies by exchange; None: the exchange whole. Raises ClockRefused for a moment to come."""
    now = datetime.now(UTC)
    if aware_at > now:  # the hours would begin later than they do
        raise ClockRefused(Ref("rule", "AWARE_IN_THE_FUTURE"))
    owners = store.find_principals(house.conn, list(touched))
    known = list_agreements(house.conn, now)
    parts = []
    for principal in sorted(set(owners.values())):
        own = {exchange: kinds for exchange, kinds in touched.items() if owners.get(exchange) == principal}
        part = _part(house, scope, Principal(principal), own, known)
        if part is not None:
            parts.append(part)
    if not parts:
        _empty(scope.kind, "that was named")
    on = aware_at.astimezone(BRUSSELS).date()
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
    house: House, scope: Scope, principal: Principal, touched: dict[str, set[str] | None], known: Sequence[Known]
) -> Part | None:
    """The slice of one principal; None where an agent made nothing of it."""
    records = tuple(read_records(house.conn, touched))
    lost = store.find_gone(house.conn, list(touched))
    copies = _copies(house, principal, touched, lost)
    erased = _erased(copies, store.find_erased(house.conn, list(touched)))
    counted = _counted(house, principal, records, copies, scope, _gone(touched, copies, lost), erased)
    if scope.kind == "agent":
        counted = _with_gone(counted, set(touched) - {copy.exchange_id for copy in copies})
        if not counted.rows and not counted.unread and not counted.removed:
            return None
    papers = {copy.exchange_id: copy.contract for copy in copies}
    lines = [line for each in records for line in lines_of(each, papers.get(ExchangeId(each.exchange_id)))]
    made_under = _papers(known, records, principal)
    return Part(
        principal=principal,
        known=made_under[0] if made_under else None,
        exchanges=tuple(sorted(touched)),
        went_into=tuple(sorted(set(find_users(house.conn, list(touched))) - set(touched))),
        counted=counted,
        lines=tuple(dict.fromkeys(lines)),
        recipients=tuple(sorted({name for each in records for name in _receivers(each, house.settings.center)})),
        countries=tuple(sorted({country for each in records for country in each.who.countries})),
        also_under=made_under[1:],
    )


def _counted(
    house: House,
    principal: Principal,
    records: Sequence[ExchangeRecord],
    copies: Sequence[Copy],
    scope: Scope,
    gone: Mapping[str, int | None],
    erased: Mapping[str, int],
) -> Counted:
    """Persons in these copies; where no copy is left, or the key of their references is gone, what the records say."""
    try:
        return count_in(house, principal, records, copies, scope, gone, erased) if copies else _without_names(records)
    except KeyDestroyed:
        return _without_names(records)


def _with_gone(counted: Counted, gone: set[str]) -> Counted:
    """An agent's results of which no copy is left: nobody can tell any more who made which row."""
    if not gone:
        return counted
    unread = (*counted.unread, *(f"gone {each}" for each in sorted(gone)))
    return replace(counted, unread=tuple(dict.fromkeys(unread)), at_most=None)


def _gone(
    touched: Mapping[str, set[str] | None], copies: Sequence[Copy], lost: Mapping[str, Mapping[str, int | None]]
) -> dict[str, int | None]:
    """Exchanges of which rows that were asked for are gone, and in how many copies say; None: no copy says."""
    read: dict[str, set[str]] = {}
    for copy in copies:
        read.setdefault(copy.exchange_id, set()).add(copy.kind)
    rows = {each: rows_gone(touched[each], read.get(each, ()), kinds) for each, kinds in lost.items()}
    return {exchange: count for exchange, count in rows.items() if count != 0}


def _erased(copies: Sequence[Copy], taken: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Rows that were taken out of the copies that are counted in, by exchange."""
    found: dict[str, int] = {}
    for copy in copies:
        rows = 0 if copy.kind in NOBODY else taken.get(copy.exchange_id, {}).get(copy.kind, 0)
        if rows:
            found[copy.exchange_id] = found.get(copy.exchange_id, 0) + rows
    return found


def _copies(
    house: House,
    principal: Principal,
    touched: Mapping[str, set[str] | None],
    lost: Mapping[str, Mapping[str, int | None]],
) -> list[Copy]:
    """The copies to count in: those of the address, or those that hold every row of an exchange once."""
    there = find_copies(house.conn, principal, among=[ExchangeId(each) for each in touched])
    own = [copy for copy in there if copy.exchange_id in touched]
    named = [copy for copy in own if copy.kind in (touched[copy.exchange_id] or ())]
    torn = {exchange for exchange, kinds in lost.items() if set(kinds) & set(WHOLE)}
    return [*named, *whole_of([copy for copy in own if touched[copy.exchange_id] is None], torn)]


def _without_names(records: Sequence[ExchangeRecord]) -> Counted:
    """What the records say is all that is known; of a file that is not decided yet, nothing."""
    counts = [record.what.distinct_subjects for record in records]
    gone = tuple(f"gone {record.exchange_id}" for record in records)
    known = [count for count in counts if count is not None]
    return Counted(0, 0, 0, gone or ("not decided",), sum(known) if known and len(known) == len(counts) else None)


def _receivers(record: ExchangeRecord, center: str) -> list[str]:
    return [name for name in (*record.who.recipients, *record.who.sub_processors) if name != center]


def _papers(known: Sequence[Known], records: Sequence[ExchangeRecord], principal: str) -> tuple[Known, ...]:
    """The agreements these exchanges were made under, that of the youngest exchange first.

    Where no record names one: those of the principal that hold today, else its youngest.
    """
    by_name: dict[tuple[str | None, str | None], Known] = {
        (each.agreement.agreement_id, each.agreement.version): each for each in known
    }
    names = dict.fromkeys((each.why.agreement_id, each.why.agreement_version) for each in reversed(records))
    found = [by_name[name] for name in names if name in by_name]
    own = sorted((each for each in known if each.agreement.principal == principal), key=lambda each: each.days.first)
    today = datetime.now(BRUSSELS).date()
    return tuple(found or [each for each in reversed(own) if today in each.days] or own[-1:])


def _empty(kind: str, name: str) -> NoReturn:
    raise SliceEmpty(Ref(kind, name))
