"""Sign off a role profile that could be contested: one signature on one version of an agreement, one ledger entry.

The roles stay the same: another role needs another version. Only the warning that nobody signed it off ends, from that
moment on; records of earlier exchanges keep it.
"""

from datetime import datetime
from typing import ClassVar

from sluice.agreement.in_force.store import find_version, list_contracts
from sluice.agreement.model import Agreement
from sluice.agreement.roles.profiles import ROLES_TO_SIGN
from sluice.agreement.roles.sign_off_store import SignOff, insert_sign_off, lock_sign_offs
from sluice.db import Connection, transaction
from sluice.errors import Exit, NotFound, Ref, SluiceError, as_typed
from sluice.ledger.append import append
from sluice.ledger.chains import principal_chain
from sluice.ledger.model import EntryKind
from sluice.ledger.names import check_name, is_same_person
from sluice.ledger.reason import check_reason
from sluice.ledger.signed_off import RoleSignedOff, RoleSignOffRefused
from sluice.terms import RoleProfile
from sluice.times import utc_text

SAME_PERSON = "SAME_PERSON"
"""Why a signature is refused: two people have to sign, and this one did already."""


class SignOffRefused(SluiceError):
    """The signature is not needed, or somebody else must give it."""

    code: ClassVar[str] = "SLU-445"
    summary: ClassVar[str] = "this role profile cannot be signed off so"
    cure: ClassVar[str] = (
        "NEEDS_NONE, NOT_USED, SIGNED_OFF: nothing to do, see `sluice agreement roles`; "
        "SAME_PERSON: the agreement asks for two, and a second person signs"
    )
    exit: ClassVar[Exit] = Exit.REFUSED


def sign_off(
    conn: Connection, agreement_id: str, version: str, profile: RoleProfile, by: str, now: datetime, *, reason: str
) -> Agreement:
    """Record that ``by`` signed off a profile, and return the version as it stands then.

    ``reason`` is a code for the ledger. Raises NotFound for a version that is not registered, UsageError if the reason
    is a sentence or the name is none, and SignOffRefused; that one person wanted to sign twice is recorded.
    """
    check_reason(reason)
    by = check_name(by)
    with transaction(conn):
        lock_sign_offs(conn, agreement_id, version)
        paper = find_version(conn, agreement_id, version)
        if paper is None:
            raise NotFound(as_typed("agreement", agreement_id), Ref("version", version))
        why_not = refusal_of(paper, profile, by) or (None if uses(conn, paper, profile, now) else "NOT_USED")
        if why_not is None:
            _sign(conn, paper, SignOff(agreement_id, version, profile, by, now, reason))
        elif why_not == SAME_PERSON:
            _record_refusal(conn, paper, profile, by, now)
        stands = find_version(conn, agreement_id, version)
    if why_not:
        raise SignOffRefused(Ref("agreement", agreement_id), Ref("profile", profile), Ref("rule", why_not))
    assert stands is not None  # it is registered, and what is registered stays
    return stands


def refusal_of(paper: Agreement, profile: RoleProfile, by: str) -> str | None:
    """Why this person cannot sign off a profile of this paper; None if they can. Pure."""
    if profile not in ROLES_TO_SIGN:
        return "NEEDS_NONE"
    if paper.is_seed_owner_signed_off:
        return "SIGNED_OFF"
    return SAME_PERSON if any(is_same_person(by, signer) for signer in paper.seed_owner_signers) else None


def uses(conn: Connection, paper: Agreement, profile: RoleProfile, known_at: datetime) -> bool:
    """Whether a version, or a contract under it as known at an instant, gives this profile to any field."""
    if any(row.role_profile is profile for row in paper.role_rows):
        return True
    contracts = (each.contract for each in list_contracts(conn, known_at, (profile,)))
    return any(
        field.role_profile is profile
        for contract in contracts
        if (contract.agreement_id, contract.agreement_version) == (paper.agreement_id, paper.version)
        for field in contract.fields
    )


def _sign(conn: Connection, paper: Agreement, signed: SignOff) -> None:
    insert_sign_off(conn, signed)
    chain = principal_chain(paper.principal)
    append(conn, chain=chain, kind=EntryKind.ROLE_SIGNED_OFF, exchange_id=None, body=_body(paper, signed))


def _record_refusal(conn: Connection, paper: Agreement, profile: RoleProfile, by: str, now: datetime) -> None:
    """Record that somebody wanted to be both persons. Call at the end of a transaction."""
    body = RoleSignOffRefused(
        principal=paper.principal,
        agreement_id=paper.agreement_id,
        agreement_version=paper.version,
        role_profile=profile,
        asked_by=by,
        refused_at=utc_text(now),
        reason=SAME_PERSON,
    )
    chain = principal_chain(paper.principal)
    append(conn, chain=chain, kind=EntryKind.ROLE_SIGN_OFF_REFUSED, exchange_id=None, body=body)


def _body(paper: Agreement, signed: SignOff) -> RoleSignedOff:
    return RoleSignedOff(
        principal=paper.principal,
        agreement_id=paper.agreement_id,
        agreement_version=paper.version,
        agreement_sha256=paper.sha256,
        role_profile=signed.profile,
        number=len(paper.seed_owner_signers) + 1,
        needed=paper.seed_owner_signatures,
        signed_by=signed.signed_by,
        signed_at=utc_text(signed.signed_at),
        reason=signed.reason,
    )
