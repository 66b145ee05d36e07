"""How far the word of a person reaches: purposes, bases, channel. Pure."""

from collections.abc import Collection

from sluice.rights.case.model import PROTECTED, Action, CaseId, Protection, Right, SubCase
from sluice.rights.person.envelope import Envelope
from sluice.subject.scope import MARKETING, Scope, scope_of
from sluice.subject.suppression import Suppression


def scope_of_request(envelope: Envelope, protection: Protection) -> Scope:
    """What a protection of this request stops.

    An objection to direct marketing reaches the marketing purposes that it names, or all of them if it names none.
    """
    purposes = frozenset(envelope.purposes)
    if envelope.right is Right.DIRECT_MARKETING:
        purposes = (purposes & MARKETING) or MARKETING
    return scope_of(Suppression(protection.value), purposes, envelope.contact_channel)


def keeps_out(right: Right, action: Action | None) -> Protection | None:
    """The suppression that carries out a decision to restrict or to stop; None for other decisions."""
    match action:
        case Action.RESTRICT:
            return Protection.RESTRICTED
        case Action.STOP:
            return Protection.CONSENT_WITHDRAWN if right is Right.CONSENT_WITHDRAWAL else Protection.OBJECTED
        case _:
            return None


def keeps_marketing_out(right: Right, purposes: Collection[str]) -> bool:
    """Whether a request is an objection that reaches more than direct marketing, and direct marketing too.

    No grounds override the latter (GDPR Art. 21(3)), so a refusal leaves it in force. ``purposes``: the DPV IRIs that
    the request names; none means all.
    """
    return right is Right.OBJECTION and (not purposes or not MARKETING.isdisjoint(purposes))


def marketing_of(case_id: CaseId) -> str:
    """The cause of the suppression that keeps the person of such an objection out of marketing."""
    return f"{case_id}/marketing"


def stays_out(right: Right, part: SubCase) -> Protection | None:
    """The suppression under which a part that was carried out keeps its person out; None if it does not.

    Protection that was for good from the start also holds where nobody knows the person. A decision holds only at
    the principal that it is about.
    """
    protection = keeps_out(right, part.action)
    return protection if part.agreement_id is not None or protection is PROTECTED.get(right) else None
