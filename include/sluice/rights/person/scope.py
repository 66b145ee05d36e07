"""Find whom a request concerns: the principals that know the person, by a file or a record of consent, and who decides
of which field groups.

A principal that does not know the person and was not addressed is told nothing, because telling it would make
it know the person. Protection reaches further than the parts: it covers every principal that may still send the
person, because it stays inside the house.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import polars as pl

from sluice.agreement.folder.load import parse_agreement
from sluice.agreement.model import Agreement
from sluice.agreement.roles.profiles import PROFILES
from sluice.exchange.house import House
from sluice.exchange.persons.consents import find_named
from sluice.exchange.persons.merged import named_in
from sluice.keys import SUBJECT
from sluice.rights.case import store
from sluice.rights.case.clock import received_on
from sluice.rights.case.errors import PrincipalUnknown
from sluice.rights.case.model import CASES_CHAIN, CaseId, State, SubCase, SubCaseId, Track
from sluice.rights.person.envelope import Envelope
from sluice.rights.person.whom import refs_at
from sluice.subject.index import first_word
from sluice.terms import Decider, Direction, FieldGroup, Principal

DECIDES: Mapping[str, tuple[Decider, Track]] = {
    "principal": ("principal", Track.PROCESSOR),
    "center": ("center", Track.CONTROLLER),
    "both": ("center", Track.CONTROLLER),
    "joint": ("joint", Track.CONTROLLER),
}
"""From a profile's controller to who decides of our copy. Independent controllers each decide of their own copy."""


@dataclass(frozen=True, slots=True)
class Scoped:
    """Parts of a request, and whom to protect.

    ``refs``: by principal to protect at, the person's references under its key. ``searched``: whose index was
    searched.
    """

    parts: tuple[SubCase, ...]
    refs: Mapping[Principal, tuple[str, ...]]
    searched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CandidatePrincipal:
    """A principal whose files may know the person."""

    principal: Principal
    agreements: tuple[Agreement, ...]
    is_in_force: bool


def find_scope(house: House, envelope: Envelope) -> Scoped:
    """Find the parts of a request and whom to protect: at the principal addressed, or at all that know the person.

    If nobody knows the person, there is one part without agreement, so that the center still answers. A principal
    whose key was destroyed no longer knows anybody. While it is not known who the person is, there are no parts and
    no protection, and so no step, until a candidate is confirmed.
    """
    candidates = candidates_of(house, envelope)
    if envelope.is_waiting:
        return Scoped((), {}, tuple(sorted(each.principal for each in candidates)))
    refs = {each.principal: refs_at(house, envelope.identifiers, each.principal) for each in candidates}
    if len(envelope.persons) > 1:  # a principal's own file: that principal knows whom it names
        hits: dict[Principal, tuple[int, ...] | None] = dict.fromkeys(refs)
    else:
        hits = {name: find_hits(house, name, held) for name, held in refs.items()}
    concerned = [each for each in candidates if hits[each.principal] != () or envelope.principal]
    parts = [part for each in concerned for part in _parts(envelope, each, hits[each.principal])]
    protected = {
        each.principal: tuple(sorted(frozenset().union(*refs[each.principal].values())))
        for each in candidates
        if each.is_in_force or each in concerned
    }
    return Scoped(tuple(parts) or (_nobody(house, envelope),), protected, tuple(sorted(refs)))


def check_principal(house: House, principal: Principal, at: datetime) -> None:
    """Raise PrincipalUnknown for a principal that never had an agreement, as known at an instant."""
    if not is_known(house, principal, at):
        raise PrincipalUnknown


def is_known(house: House, principal: Principal, at: datetime) -> bool:
    """Whether a principal ever had an agreement, as known at an instant."""
    rows = store.find_agreement_bodies(house.conn, received_on(at), at)
    return any(name == principal for name, *_ in rows)


def find_hits(house: House, principal: Principal, refs: Mapping[int, frozenset[str]]) -> tuple[int, ...]:
    """Places of the identifiers that the index or a consent record of a principal knows by any of their references.

    The index holds only 8 bytes of a reference, so a hit merely points; the file itself decides (erasure reads it
    again).
    """
    places = [place for place, every in refs.items() for _ in every]
    every = [ref for each in refs.values() for ref in each]
    words = first_word(pl.Series("ref", every, dtype=pl.String)).to_list()
    recorded = find_named(house, principal, frozenset(every))
    found = {place for place, ref in zip(places, every, strict=True) if ref in recorded}
    for _, there in named_in(house, principal, every):
        found |= {place for place, word in zip(places, words, strict=True) if word in there}
        if len(found) == len(refs):
            break
    return tuple(sorted(found))


def candidates_of(house: House, envelope: Envelope) -> list[CandidatePrincipal]:
    """The principals that a request may concern: those addressed that ever had an agreement and still have a key."""
    rows = store.find_agreement_bodies(house.conn, received_on(envelope.opened_at), envelope.opened_at)
    papers: dict[str, list[tuple[Agreement, bool]]] = {}
    for name, body, path, is_in_force in rows:
        papers.setdefault(name, []).append((parse_agreement(body, path), is_in_force))
    return [
        CandidatePrincipal(Principal(name), tuple(paper for paper, _ in held), any(in_force for _, in_force in held))
        for name, held in sorted(papers.items())
        if envelope.principal in (None, name) and not house.keyring.is_destroyed(Principal(name), SUBJECT)
    ]


def _parts(envelope: Envelope, candidate: CandidatePrincipal, hits: tuple[int, ...] | None) -> Iterator[SubCase]:
    for agreement in candidate.agreements:
        for (controller, track), groups in sorted(_deciders(agreement).items(), reverse=True):
            due = envelope.forward_from + timedelta(hours=agreement.forward_hours)
            yield SubCase(
                sub_case_id=_number(envelope.case_id, agreement.agreement_id, controller),
                case_id=envelope.case_id,
                principal=candidate.principal,
                agreement_id=agreement.agreement_id,
                agreement_version=agreement.version,
                controller=controller,
                track=track,
                field_groups=tuple(groups),
                chain=agreement.agreement_id,
                state=State.SCOPED,
                may_answer=agreement.may_answer.get(envelope.right.article, False),
                forward_due_at=due if track is Track.PROCESSOR else None,
                identifiers=hits or None,
                has_hit=bool(hits),
            )


def _deciders(agreement: Agreement) -> dict[tuple[Decider, Track], Sequence[FieldGroup]]:
    """Field groups by who decides of them, in the order of the agreement. Data about staff is left out.

    A group can occur twice: as the principal sent it, and as our staff added to it.
    """
    found: dict[tuple[Decider, Track], dict[FieldGroup, None]] = {}
    for row in agreement.role_rows:
        if row.direction is not Direction.STAFF:
            found.setdefault(DECIDES[PROFILES[row.role_profile].controller], {})[row.field_group] = None
    return {decider: tuple(groups) for decider, groups in found.items()}


def _nobody(house: House, envelope: Envelope) -> SubCase:
    return SubCase(
        sub_case_id=_number(envelope.case_id, "none", "center"),
        case_id=envelope.case_id,
        principal=house.settings.center,
        agreement_id=None,
        agreement_version=None,
        controller="center",
        track=Track.CONTROLLER,
        field_groups=(),
        chain=CASES_CHAIN,
        state=State.SCOPED,
        may_answer=False,
    )


def _number(case_id: CaseId, agreement_id: str, controller: Decider) -> SubCaseId:
    """The number of a part: a function of its case, so that a rerun makes the same one.

    Nobody can compute it without the number of the case.
    """
    return SubCaseId(str(uuid5(UUID(case_id), f"{agreement_id}/{controller}")))
