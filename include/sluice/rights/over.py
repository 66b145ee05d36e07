"""What a request that is over leaves with its principal: that it was taken back is told, what named persons goes."""

from sluice.exchange.house import House
from sluice.lake.objects import prefix_of
from sluice.rights import store
from sluice.rights.model import State, Track
from sluice.rights.notices import find_over, notice_key, put_notice, told_document
from sluice.terms import Principal


def tell_withdrawn(house: House, principal: Principal | None = None) -> int:
    """Tell controllers, or this one, that were given a request which the person took back since; how many now.

    What counts is the notice that lies there, even if its giver died before writing it down.
    """
    owed = [
        (part, notice_key(part, "-withdrawn"), told_document(case, part, "WITHDRAWN"))
        for case in store.list_cases(house.conn, state=State.WITHDRAWN_BY_SUBJECT, principal=principal, limit=None)
        for part in case.sub_cases
        if part.state is State.WITHDRAWN_BY_SUBJECT and part.track is Track.PROCESSOR
        if principal in (None, part.principal)
    ]
    there = {name: _notices(house, Principal(name)) for name in {part.principal for part, _, _ in owed}}
    missing = [
        (key, document)
        for part, key, document in owed
        if key not in there[part.principal] and notice_key(part) in there[part.principal]
    ]
    for key, document in missing:
        put_notice(house, key, document)
    return len(missing)


def drop_over(house: House, principal: Principal) -> int:
    """Remove the notices that forwarded requests to a principal which are over; how many.

    Only those name somebody: whoever has to decide needs it, and nobody after. Every other notice stays to be read.
    """
    keys = find_over(house.conn, principal)
    tell_withdrawn(house, principal)  # first: it is told of what was forwarded
    bucket, there = house.settings.bucket_exchange, _notices(house, principal)
    gone = [key for key in keys if key in there]
    for key in gone:
        house.objects.delete_others(bucket, key, frozenset())
    return len(gone)


def _notices(house: House, principal: Principal) -> set[str]:
    found = house.objects.list_versions(house.settings.bucket_exchange, f"{prefix_of(principal, 'notices')}case-")
    return {item.key for item in found}
