"""Tell of consents that were withdrawn by a consent record: its controller, and through it every recipient.

A withdrawal that is only recorded keeps its person out here, while the next file of the principal, and whoever got the
data, go on (GDPR Art. 7(3), C-129/21). So each purpose and channel of the new withdrawals of a file, or of one
statement, opens one case of its persons, before the records are stored. It has no letters, because nobody asked for
an answer. Whoever recorded it has thereby decided the center's own parts. What a principal collected itself
(``collected_by``) is not told back to it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID, uuid5

from sluice.agreement.in_force.store import list_in_force
from sluice.exchange.house import House
from sluice.rights.case import steps, store
from sluice.rights.case.model import FILE, RECORD, Action, Actor, CaseId, Right, Role, State, desk_actor
from sluice.rights.case.states import IDENTITY_NOT_ASKED, left_to_decide
from sluice.rights.consents.file import Said, parse_consents
from sluice.rights.consents.keep import Recorded, Withdrawn, import_consents, record_consent
from sluice.rights.opening import envelope_of, open_envelope
from sluice.rights.person.identifiers import KINDS, Identifier, Person, owned_by, refs_of
from sluice.rights.person.sealed import find_sealed
from sluice.rights.person.whom import all_refs_at
from sluice.subject.consent import ConsentState
from sluice.subject.scope import CONSENT
from sluice.terms import Principal
from sluice.times import brussels_day

NUMBERS = UUID("8d1d0f0e-3c0a-5f5e-9b64-0d6f3a1c2b77")


def import_and_tell(
    house: House, principal: Principal, content: bytes, dated_on: date, by: str, now: datetime
) -> Recorded:
    """Keep the records of a CSV file and tell of its withdrawals. Raises as :func:`import_consents`."""
    of_file = _Import(house, principal, parse_consents(content), by, now)
    return import_consents(house, principal, content, dated_on, by, now, of_file.tell)


def record_and_tell(house: House, principal: Principal, said: Said, by: str, now: datetime) -> Recorded:
    """Keep what one person said and, if it is a withdrawal, tell of it. Raises as :func:`record_consent`."""
    return record_consent(house, principal, said, by, now, _Import(house, principal, [said], by, now).tell)


@dataclass(frozen=True, slots=True)
class _Import:
    """What the cases of one file, or of one statement, have in common. ``source``: SHA-256 of what was recorded."""

    house: House
    principal: Principal
    rows: Sequence[Said] = field(repr=False)
    by: str
    now: datetime
    run_id: str = ""
    source: str = ""

    def tell(self, run_id: str, source: str, withdrawn: Withdrawn) -> None:
        """Open a case for each purpose that rests on consent, each channel, and what the principal collected apart."""
        found = list_in_force(self.house.conn, self.principal, brussels_day(self.now), self.now) if withdrawn else ()
        of_run = replace(self, run_id=run_id, source=source)
        purposes = [each for agreement in found for each in agreement.purposes]
        rest = [(each.iri, channel) for each in purposes if each.legal_basis == CONSENT for channel in each.channels]
        for purpose, channel in dict.fromkeys(rest):
            new = frozenset(ref for ref, iri, word in withdrawn if (iri, word) == (purpose, channel))
            names = {purpose, *(each.code for each in purposes if each.iri == purpose)}
            named = [row for row in self.rows if row.purpose in names and row.channel == channel]
            rows = [row for row in named if row.state == ConsentState.WITHDRAWN.value]
            theirs = [row for row in rows if row.collected_by == self.principal]
            ours = [row for row in rows if row.collected_by != self.principal]
            _open(replace(of_run, rows=theirs), new, purpose, channel, FILE)
            _open(replace(of_run, rows=ours), new, purpose, channel, RECORD)


def _open(run: _Import, new: frozenset[str], purpose: str, channel: str, came_by: str) -> None:
    """Open the case of these withdrawals, unless there is one for its persons, and decide what is ours to decide."""
    house, principal, now = run.house, run.principal, run.now
    case_id = CaseId(str(uuid5(NUMBERS, f"{principal}/{run.run_id}/{purpose}/{channel}/{came_by}")))
    if not store.find_known(house.conn, [case_id]):  # before sealing: what was removed is not sealed again
        left = new - _under_way(house, principal, purpose, channel) if run.rows and new else frozenset()
        persons = tuple(dict.fromkeys(_persons(house, principal, run.rows, left))) if left else ()
        if not persons:
            return
        actor = Actor(Role.PRINCIPAL, principal) if came_by == FILE else desk_actor(run.by)
        envelope = envelope_of(case_id, Right.CONSENT_WITHDRAWAL, principal, persons, now, now, actor)
        open_envelope(house, replace(envelope, channel=came_by, purposes=(purpose,), contact_channel=channel), now)
    _decide(run, case_id)


def _decide(run: _Import, case_id: CaseId) -> None:
    """Decide the center's parts as it was recorded. Nobody doubts who withdraws; repeating it changes nothing."""
    conn, order = run.house.conn, steps.desk_order(run.by, run.now, "AS_RECORDED", run.source)
    case = store.get_case(conn, case_id)
    if case.channel == FILE:
        steps.vouch(conn, case_id, run.principal, run.now, run.source)
    elif case.state in IDENTITY_NOT_ASKED:
        steps.settle_identity(conn, case_id, True, replace(order, reason_code=steps.NO_DOUBT))
    parts = [part.sub_case_id for part in left_to_decide(case)]
    if parts:
        steps.decide(conn, case_id, State.ACCEPTED, replace(order, action=Action.STOP), parts)


def _persons(house: House, principal: Principal, rows: Sequence[Said], new: frozenset[str]) -> Iterator[Person]:
    """Yield the persons of these rows of whom one reference is among ``new``, without what names nobody."""
    persons = [
        owned_by(tuple(Identifier(KINDS[word], value) for word, value in row.persons.items()), principal)
        for row in rows
    ]
    every = [each for person in persons for each in person]
    refs, place = refs_of(every, house.subject_key(principal), principal), 0
    for person in persons:
        found = {at - place: refs[at] for at in range(place, place + len(person)) if at in refs}
        place += len(person)
        if not new.isdisjoint(found.values()):
            yield tuple(each for at, each in enumerate(person) if at in found)


def _under_way(house: House, principal: Principal, purpose: str, channel: str) -> frozenset[str]:
    """References of whom an open case at this principal is about that reaches this purpose and channel already."""
    found = frozenset[str]()
    for case in store.list_open_cases(house.conn, Right.CONSENT_WITHDRAWAL):
        is_here = any(part.principal == principal for part in case.sub_cases)
        sealed = find_sealed(house, case.subject_key) if is_here else None
        if sealed is None:
            continue
        said = sealed.envelope
        if (not said.purposes or purpose in said.purposes) and said.contact_channel in (None, channel):
            found |= all_refs_at(house, said.identifiers, principal)
    return found
