"""Forms that people send from a page: each calls one use case, the same that the command calls.

The actor is the logged-in user, never a field of the form. The ledger keeps a reason for everything: a code, so that no
sentence about a person gets into it. A form asks for the reason, unless the choice itself is the reason.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Path, Request
from pydantic import StringConstraints
from starlette.responses import Response

from sluice.db import connect
from sluice.errors import NotFound, UsageError
from sluice.exchange.review_model import Choice
from sluice.rights.case.model import Action, Actor, CaseId, Order, Remedies, SubCaseId
from sluice.rights.case.reasons import REMEDIES, Ground, iri
from sluice.settings import get_settings
from sluice.terms import ExchangeId, RoleProfile
from sluice.web.access import Clerk, Releaser, RoleSigner
from sluice.web.asked import AGREEMENT
from sluice.web.errors import Fault, NothingThere, RequestInvalid
from sluice.web.model import PRINCIPAL
from sluice.web.pages.agreements import Number
from sluice.web.pages.asked import Unless
from sluice.web.pages.forms import Checked
from sluice.web.pages.view import Deed, to_page

router = APIRouter(dependencies=[Checked])
PARAMETERS = frozenset(
    {"reason", "evidence", "part", "action", "refuse", "abuse_proven", "outcome", "principal", "plan", "choice", "rows"}
    | {"ground", "version", "profile"}
)
CODE = "^[A-Z][A-Z0-9_]{2,63}$"
Reason = Annotated[str, Form(pattern=CODE)]
Justification = Annotated[str, Form(pattern="^A[0-9]{2}[A-Za-z]{2,40}$")]
Evidence = Annotated[str | None, Unless, Form(pattern="^[0-9a-f]{64}$")]
Refusals = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=r"^([a-z_*]{1,40}=[A-Za-z0-9]{1,60})?$")], ...], Form()
]
"""``FIELD_GROUP=JUSTIFICATION``; empty if nothing is refused."""
Parts = Annotated[list[UUID], Form(min_length=1)]
"""The parts that the form showed and that were left ticked. None is not an answer, and never means all."""


@router.post("/cases/{case_id}/decide")
def decide(
    request: Request,
    clerk: Clerk,
    case_id: UUID,
    action: Annotated[Action, Form()],
    part: Parts,
    reason: Annotated[str | None, Unless, Form(pattern=CODE)] = None,
    ground: Annotated[Ground | None, Unless, Form()] = None,
    refuse: Refusals = (),
    abuse_proven: Annotated[bool, Form()] = False,
    evidence: Evidence = None,
) -> Response:
    """Accept, refuse, or both, for parts the center decides. The remedies a refusal names are those of the case.

    ``ground``: why it has to be erased, which is then the reason. Raises RequestInvalid for abuse that nothing proves
    (C-526/24), for a ground of what is not erased, and where neither a reason nor a ground was given.
    """
    from sluice.exchange.house import open_house
    from sluice.rights.case.store import get_case
    from sluice.rights.desk_steps import decide_and_tell

    code = _reason(reason, ground, action)
    number, order = CaseId(str(case_id)), _decision(clerk, code, action, refuse, abuse_proven, evidence)
    with open_house(get_settings()) as house:
        case = get_case(house.conn, number)
        text = REMEDIES.get(case.country)
        order = replace(order, remedies=Remedies(text, case.language) if text else None)
        done = decide_and_tell(house, number, order, _parts(part))
    return to_page(request, f"/cases/{number}", Deed.DECIDE_OWED if done.is_letter_owed else Deed.DECIDE)


@router.post("/cases/{case_id}/extend")
def extend(
    request: Request,
    clerk: Clerk,
    case_id: UUID,
    reason: Justification,
    part: Parts,
    evidence: Evidence = None,
) -> Response:
    """Two months more for what the center decides, and the letter about it."""
    from sluice.exchange.house import open_house
    from sluice.rights.desk_steps import extend_and_tell

    number = CaseId(str(case_id))
    with open_house(get_settings()) as house:
        done = extend_and_tell(house, number, _order(clerk, iri(reason), evidence), _parts(part))
    return to_page(request, f"/cases/{number}", Deed.EXTEND_OWED if done.is_letter_owed else Deed.EXTEND)


@router.post("/cases/{case_id}/pause")
def pause(request: Request, clerk: Clerk, case_id: UUID, reason: Justification, evidence: Evidence = None) -> Response:
    """Ask the person who they are; the paused clock stands still."""
    from sluice.rights.case.steps import pause as pause_case

    number = CaseId(str(case_id))
    with connect(get_settings()) as conn:
        pause_case(conn, number, _order(clerk, iri(reason), evidence))
    return to_page(request, f"/cases/{number}", Deed.PAUSE)


@router.post("/cases/{case_id}/identity")
def identity(
    request: Request,
    clerk: Clerk,
    case_id: UUID,
    outcome: Annotated[Literal["shown", "failed"], Form()],
    evidence: Evidence = None,
) -> Response:
    """End the identity check. How it ended is its reason."""
    from sluice.rights.case.steps import settle_identity

    number = CaseId(str(case_id))
    is_shown = outcome == "shown"
    with connect(get_settings()) as conn:
        code = "IDENTITY_SHOWN" if is_shown else iri("A12IdentityFailure")
        settle_identity(conn, number, is_shown, _order(clerk, code, evidence))
    return to_page(request, f"/cases/{number}", Deed.IDENTITY)


@router.post("/cases/{case_id}/withdraw")
def withdraw(request: Request, clerk: Clerk, case_id: UUID, reason: Reason, evidence: Evidence = None) -> Response:
    """The person takes the request back."""
    from sluice.rights.case.steps import withdraw as withdraw_case

    number = CaseId(str(case_id))
    with connect(get_settings()) as conn:
        withdraw_case(conn, number, _order(clerk, reason, evidence))
    return to_page(request, f"/cases/{number}", Deed.WITHDRAW)


@router.post("/cases/{case_id}/lift")
def lift(request: Request, clerk: Clerk, case_id: UUID, evidence: Evidence = None) -> Response:
    """End the restriction, once the person was told that it ends (Art. 18(3))."""
    from sluice.exchange.house import open_house
    from sluice.rights.lifting import lift_restriction

    number, order = CaseId(str(case_id)), _order(clerk, "RESTRICTION_LIFTED", evidence)
    with open_house(get_settings()) as house:
        lift_restriction(house, number, order, evidence is not None)
    return to_page(request, f"/cases/{number}", Deed.LIFT)


@router.post("/cases/{case_id}/release")
def release_plan(
    request: Request,
    clerk: Clerk,
    case_id: UUID,
    principal: Annotated[str, Form(pattern=PRINCIPAL)],
    plan: Annotated[str, Form(pattern="^[0-9a-f]{64}$")],
    reason: Reason,
) -> Response:
    """Let exactly the plan that the page showed be carried out; its maker and who decided cannot."""
    from sluice.exchange.house import open_house
    from sluice.rights.erasure.release import release

    number = CaseId(str(case_id))
    with open_house(get_settings()) as house:
        release(house, number, clerk.name, datetime.now(UTC), principal=principal, pinned=plan, reason=reason)
    return to_page(request, f"/cases/{number}", Deed.RELEASE_PLAN)


@router.post("/waiting/returns/{exchange_id}")
def release_return(request: Request, releaser: Releaser, exchange_id: UUID, reason: Reason) -> Response:
    """Let a prepared return go; whoever prepared it cannot. The schedule delivers it."""
    from sluice.exchange.house import open_house
    from sluice.returns.release import release

    with open_house(get_settings()) as house:
        release(house, str(exchange_id), releaser.name, datetime.now(UTC), reason=reason)
    return to_page(request, "/waiting/returns", Deed.RELEASE_RETURN)


@router.post("/waiting/acknowledgements/{exchange_id}")
def acknowledge_return(request: Request, releaser: Releaser, exchange_id: UUID, reason: Reason) -> Response:
    """Note that the principal said a return arrived."""
    from sluice.returns.acks import acknowledge

    with connect(get_settings()) as conn:
        answer = acknowledge(conn, str(exchange_id), releaser.name, datetime.now(UTC), reason=reason)
    return to_page(request, "/waiting/acknowledgements", Deed.ACKNOWLEDGE if answer.outcome.closes else Deed.UNCHANGED)


@router.post("/waiting/reviews/{exchange_id}")
def decide_review(
    request: Request,
    releaser: Releaser,
    exchange_id: UUID,
    choice: Annotated[Choice, Form()],
    reason: Reason,
    rows: Annotated[list[int], Form(max_length=10_000)],
) -> Response:
    """Decide of held rows, once each; the schedule takes in those that may go."""
    from sluice.exchange.house import open_house
    from sluice.exchange.review import decide as decide_rows

    with open_house(get_settings()) as house:
        number = ExchangeId(str(exchange_id))
        decide_rows(house, number, rows, choice, releaser.name, datetime.now(UTC), reason=reason)
    return to_page(request, "/waiting/reviews", Deed.REVIEW)


@router.post("/waiting/notices/{notice_id}")
def move_notice(
    request: Request,
    clerk: Clerk,
    notice_id: UUID,
    outcome: Annotated[Literal["sent", "acknowledged", "done"], Form()],
    evidence: Annotated[str, Form(pattern="^[0-9a-f]{64}$")],
    reason: Reason,
) -> Response:
    """Note what the desk sent, or what the recipient said to it; each on proof."""
    from sluice.rights.notices.answers import acknowledge, note_sent

    number, now, done = str(notice_id), datetime.now(UTC), Deed.NOTICE
    with connect(get_settings()) as conn:
        if outcome == "sent":
            note_sent(conn, number, clerk.name, now, evidence, reason=reason)
        else:
            is_done = outcome == "done"
            _, told = acknowledge(conn, number, clerk.name, now, evidence, is_done=is_done, reason=reason)
            done = Deed.NOTICE if told.moves else Deed.UNCHANGED
    return to_page(request, "/waiting/notices", done)


@router.post("/agreements/{agreement_id}/sign-off")
def sign_off(
    request: Request,
    signer: RoleSigner,
    agreement_id: Annotated[str, Path(pattern=AGREEMENT)],
    version: Annotated[Number, Form()],
    profile: Annotated[RoleProfile, Form()],
    reason: Reason,
) -> Response:
    """Sign a role profile of one version off; where the agreement asks for two, the second is somebody else."""
    from sluice.agreement.roles.sign_off import sign_off as sign

    with connect(get_settings()) as conn:
        try:
            stands = sign(conn, agreement_id, version, profile, signer.name, datetime.now(UTC), reason=reason)
        except NotFound:
            stands = None
    if stands is None:
        raise NothingThere
    deed = Deed.SIGN_OFF if stands.is_seed_owner_signed_off else Deed.SIGN_OFF_FIRST
    return to_page(request, f"/agreements/{agreement_id}", deed)


def _reason(reason: str | None, ground: Ground | None, action: Action) -> str:
    """Return the reason code of a decision: why it has to be erased, or else what was typed. Raises RequestInvalid."""
    if ground is not None and action is not Action.ERASE:
        raise RequestInvalid([Fault("body", "/ground", "only_to_erase")])
    if ground is not None and reason is not None:
        raise RequestInvalid([Fault("body", "/ground", "not_with_reason")])
    if ground is None and reason is None:
        raise RequestInvalid([Fault("body", "/reason", "missing")])
    return ground.value if ground else str(reason)


def _decision(
    clerk: Actor, reason: str, action: Action, refuse: Sequence[str], abuse_proven: bool, evidence: str | None
) -> Order:
    """Return the order of the form, without the remedies. Raises RequestInvalid for abuse that nothing proves."""
    from sluice.rights.desk_steps import decision, reasons_of

    reasons = reasons_of([each for each in refuse if each])
    try:
        return decision(
            clerk.name,
            datetime.now(UTC),
            reason,
            evidence,
            action=None if action is Action.REFUSE else action,
            reasons=reasons,
            has_proof_of_abuse=abuse_proven,
        )
    except UsageError:
        raise RequestInvalid([Fault("body", "/evidence", "missing")]) from None


def _order(clerk: Actor, code: str, evidence: str | None) -> Order:
    from sluice.rights.case.steps import desk_order

    return desk_order(clerk.name, datetime.now(UTC), code, evidence)


def _parts(named: list[UUID]) -> tuple[SubCaseId, ...]:
    return tuple(SubCaseId(str(each)) for each in named)
