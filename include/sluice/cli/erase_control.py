"""``sluice erase release``, ``stop``, ``resume``, ``status``, ``preflight``: control erasures and show their state."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.cli.case_output import CaseArgument
from sluice.cli.options import ByOption, WhyOption, as_code
from sluice.cli.output import Format, FormatOption, err, show_json, show_pairs, show_table
from sluice.errors import Exit
from sluice.settings import get_settings, login_name

if TYPE_CHECKING:
    from sluice.db import Connection
    from sluice.rights.case.model import CaseId
    from sluice.rights.erasure.control import Standing
    from sluice.rights.erasure.plan import StoredPlan

OneOrAll = Annotated[str | None, typer.Argument(metavar="[CASE]", help="Case id or its beginning; all when absent.")]
PLAN = ("principal", "state", "objects", "rows", "made by", "released by", "sha256", "left out")


def release(
    case: CaseArgument,
    by: ByOption = None,
    principal: Annotated[str | None, typer.Option(help="Only the plan at this principal.")] = None,
    plan: Annotated[str, typer.Option(help="Only if the SHA-256 of the plan begins with this.")] = "",
    reason: WhyOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Release the plan of an erasure, so that it may run.

    Whoever made the plan or decided the case is refused, and the attempt is recorded.
    JSON: case, plans [{principal, state, objects, rows, made_by, released_by, sha256,
    left_out}]. left_out: persons of a principal's file who still need their data. Exit 1 with the reason.

    Example: sluice erase release 5b1f0c2e --by an.peeters
    """
    from sluice.exchange.house import open_house
    from sluice.rights.erasure.release import release as let_go

    with open_house(get_settings()) as house, err.status("looking"):
        case_id, now = find_case(house.conn, case), datetime.now(UTC)
        plans = let_go(house, case_id, by or login_name(), now, principal=principal, pinned=plan, reason=reason)
    show_plans(case_id, plans, format)


def stop(
    case: OneOrAll = None,
    reason: Annotated[
        str, typer.Option(callback=as_code, help="A code in capitals, such as WRONG_PERSON; no sentence.")
    ] = "",
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Stop one erasure, or all of them, before the next object. What is erased stays erased; `resume` lets runs go on.

    JSON: case (null: all), stopped (false: it was stopped before).

    Example: sluice erase stop 5b1f0c2e --reason WRONG_PERSON --by an.peeters
    """
    from sluice.db import connect
    from sluice.rights.erasure.control import stop as stand_still

    with connect(get_settings()) as conn:
        case_id = find_case(conn, case) if case is not None else None
        is_new = stand_still(conn, case_id, reason, by or login_name(), datetime.now(UTC))
    if not is_new:
        err.print("it stood still already, and keeps the reason it had: `sluice erase status`", markup=False)
    _show({"case": case_id, "stopped": is_new}, "Stopped", format)


def resume(case: OneOrAll = None, by: ByOption = None, format: FormatOption = Format.TABLE) -> None:
    """Let a stopped erasure, or all, go on with the next run. Exit 1 when there was no such stop.

    JSON: case (null: all), resumed.

    Example: sluice erase resume 5b1f0c2e --by an.peeters
    """
    from sluice.db import connect
    from sluice.rights.erasure.control import resume as go_on

    with connect(get_settings()) as conn:
        case_id = find_case(conn, case) if case is not None else None
        go_on(conn, case_id, by or login_name(), datetime.now(UTC))
    _show({"case": case_id, "resumed": True}, "Resumed", format)


def status(format: FormatOption = Format.TABLE) -> None:
    """Show every erasure: its plan, its last run, whether it is stopped, and whether it is in error.

    While a case is in error no other erasure begins; the case itself may be run again.

    JSON: stopped [{case, reason, by, at}], in_error [case], cases [{case, plans, outcome, error, begun_at,
    ended_at, waiting, stopped, at_work, in_error}].

    Example: sluice erase status
    """
    from sluice.db import connect
    from sluice.rights.erasure.control import status as find_status

    with connect(get_settings()) as conn:
        found = find_status(conn)
    stops = [
        {"case": each.case_id, "reason": each.reason, "by": each.stopped_by, "at": each.stopped_at}
        for each in found.stops
    ]
    cases = [_standing(each) for each in found.cases]
    if format is Format.JSON:
        erring = [each["case"] for each in cases if each["in_error"]]
        show_json({"stopped": stops, "in_error": erring, "cases": cases})
        return
    show_table("Stopped", ("case", "reason", "by", "at (UTC)"), [list(each.values()) for each in stops])
    show_table(
        "Erasures",
        ("case", "plans", "last run", "error", "begun (UTC)", "stopped", "in error"),
        [
            (
                each["case"],
                ", ".join(f"{plan['principal']} {plan['state']}" for plan in each["plans"]),
                "at work" if each["at_work"] else each["outcome"],
                each["error"],
                each["begun_at"],
                "yes" if each["stopped"] else "",
                "YES" if each["in_error"] else "",
            )
            for each in cases
        ],
    )


def preflight(case: OneOrAll = None, format: FormatOption = Format.TABLE) -> None:
    """Show what would make an erasure fail half-way, with the cure; `plan` and `run` check the same first.

    JSON: problems [{code, where, says, cure, stops}]. Exit 1 when one of them stops a run.

    Example: sluice erase preflight 5b1f0c2e
    """
    from sluice.exchange.house import open_house
    from sluice.rights.erasure.preflight import preflight as look

    with open_house(get_settings()) as house, err.status("looking"):
        found = look(house, find_case(house.conn, case) if case is not None else None)
    problems = [
        {"code": each.risk.value, "where": each.where, "says": each.says, "cure": each.cure, "stops": each.risk.stops}
        for each in found
    ]
    if format is Format.JSON:
        show_json({"problems": problems})
    else:
        show_table("What would fail", ("code", "where", "says", "cure", "stops"), [list(p.values()) for p in problems])
    if any(each.risk.stops for each in found):
        raise typer.Exit(Exit.REFUSED)


def find_case(conn: "Connection", case: str) -> "CaseId":
    """Return the case whose id begins with this text. Raises NotFound."""
    from sluice.rights.case.store import find_beginning

    return find_beginning(conn, case)


def show_plans(case_id: str, plans: "tuple[StoredPlan, ...]", format: Format) -> None:
    """Print plans and who released each."""
    told = [plan_told(each) for each in plans]
    if format is Format.JSON:
        show_json({"case": case_id, "plans": told})
        return
    show_table(f"Plans of case {case_id}", PLAN, [list(each.values()) for each in told])


def plan_told(stored: "StoredPlan") -> dict[str, Any]:
    """One plan as the JSON of a command has it: counts and names of who acted."""
    return {
        "principal": stored.plan.principal,
        "state": "released" if stored.released_at else "waits for release",
        "objects": len(stored.plan.going),
        "rows": sum(copy.rows_before - copy.rows_after for copy in stored.plan.going),
        "made_by": stored.made_by,
        "released_by": stored.released_by,
        "sha256": stored.plan.sha256,
        "left_out": ", ".join(f"{need}: {persons}" for need, persons in stored.plan.waits) or None,
    }


def _standing(each: "Standing") -> dict[str, Any]:
    run = each.run
    return {
        "case": each.case_id,
        "plans": [plan_told(plan) for plan in each.plans],
        "outcome": run.outcome if run else None,
        "error": run.error if run else None,
        "begun_at": run.begun_at if run else None,
        "ended_at": run.ended_at if run else None,
        "waiting": run.waiting if run else 0,
        "stopped": each.is_stopped,
        "at_work": each.is_at_work,
        "in_error": each.is_in_error,
    }


def _show(document: dict[str, Any], title: str, format: Format) -> None:
    if format is Format.JSON:
        show_json(document)
    else:
        show_pairs(title, {**document, "case": document["case"] or "all"})
