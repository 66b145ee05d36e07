"""``sluice retention``: which copies must go and when, deletion with proof, legal holds, data given back."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from sluice.cli.options import ByOption
from sluice.cli.output import Format, FormatOption, err, show_json, show_pairs, show_table
from sluice.errors import Exit, Ref, UsageError
from sluice.settings import get_settings, login_name
from sluice.times import brussels_day

if TYPE_CHECKING:
    from sluice.retention.model import Due, LegalHold

app = typer.Typer(
    help="Deletion of copies after their last day, with proof; legal holds.",
    no_args_is_help=True,
    epilog="Example: sluice retention due",
)
PrincipalArgument = Annotated[str, typer.Argument(metavar="PRINCIPAL", help="Code of the principal.")]
PrincipalOption = Annotated[str | None, typer.Option(help="Only this principal.")]
AgreementOption = Annotated[
    str | None, typer.Option(help="Id of the agreement; by default the first that ended and waits for it.")
]
REASONS = {"legal-claims": "A17LegalClaims", "legally-required": "A17LegallyRequired"}
"""Values of ``--reason``, and the exception of GDPR Art. 17(3) that each stands for."""


@app.command("due")
def due(
    principal: PrincipalOption = None,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A Brussels date; today by default.")
    ] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """List copies whose last day is past on a day, and what keeps some of them. Deletes nothing.

    JSON: on, copies: [{exchange, principal, kind, rule, last_day, why, held_by, waits_for_return,
    needed_for}]. needed_for: restriction or answer, if a person in the copy still needs it (GDPR Art. 18, 15, 20).

    Example: sluice retention due --on 2027-01-31
    """
    from sluice.exchange.house import open_house
    from sluice.retention.run import find_due
    from sluice.terms import Principal

    now = datetime.now(UTC)
    day = on.date() if on else brussels_day(now)
    with open_house(get_settings()) as house, err.status("looking"):
        found = find_due(house, day, now, Principal(principal) if principal is not None else None)
    lines = [_told(each) for each in found]
    if format is Format.JSON:
        show_json({"on": day, "copies": lines})
        return
    show_table(f"Due on {day}", DUE, [list(line.values()) for line in lines])


DUE = ("exchange", "principal", "copy", "rule", "last day", "why", "held by", "must go back first", "needed for")


def _told(due: "Due") -> dict[str, object]:
    return {
        "exchange": due.copy.exchange_id,
        "principal": due.copy.principal,
        "kind": due.copy.kind,
        "rule": due.copy.rule,
        "last_day": due.last_day,
        "why": due.why.value,
        "held_by": due.held_by,
        "waits_for_return": due.waits,
        "needed_for": due.needed_for,
    }


@app.command("run")
def run(principal: PrincipalOption = None, format: FormatOption = Format.TABLE) -> None:
    """Delete copies that are due and not held, check that nothing of them is left, and record it. Safe to run again.

    JSON: deleted, held, waiting, failed (copies), corrections, consents (that nothing needs any more), undone (how
    often it failed for a principal as a whole), acks (answered files under acks/). Exit 3 when a copy could not be
    deleted, or something was left undone.

    Example: sluice retention run
    """
    from rich.progress import Progress

    from sluice.exchange.house import open_house
    from sluice.retention.run import retain
    from sluice.terms import Principal

    with open_house(get_settings()) as house, Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("copies", total=None)
        done = retain(
            house,
            datetime.now(UTC),
            Principal(principal) if principal is not None else None,
            lambda at, of: bar.update(task, completed=at, total=of),
        )
    document = asdict(done)
    show_json(document) if format is Format.JSON else show_pairs("Retention", document)
    if done.failed or done.undone:
        left = f"{done.failed} copies could not be deleted, {done.undone} times a principal was left undone"
        err.print(f"{left}; the next run tries again", markup=False)
        raise typer.Exit(Exit.UNDECIDED)


@app.command("hold")
def hold_(
    principal: PrincipalArgument,
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day of the hold.")],
    reason: Annotated[str, typer.Option(help="legal-claims or legally-required (GDPR Art. 17(3)(e), (b)).")],
    reference: Annotated[str, typer.Option(help="File number: capitals, digits and - / . _ ; no name of a person.")],
    flow: Annotated[str | None, typer.Option(help="Only this flow.")] = None,
    exchange: Annotated[
        str | None, typer.Option(help="Only this exchange: its id or an unambiguous beginning.")
    ] = None,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Keep copies beyond their last day. Retention leaves them alone until the hold ends; an erasure does not.

    Example: sluice retention hold energy01 --until 2027-06-30 --reason legal-claims --reference C-2026-118
    """
    from sluice.exchange.house import open_house
    from sluice.exchange.read import show_exchange
    from sluice.retention.holds import hold
    from sluice.retention.model import HoldReason
    from sluice.terms import ExchangeId, Flow, Principal

    if reason not in REASONS:
        raise UsageError(Ref("option", "--reason"), Ref("one of", ", ".join(REASONS)))
    with open_house(get_settings()) as house:
        found = ExchangeId(show_exchange(house.conn, exchange).line.id) if exchange else None
        made = hold(
            house.conn,
            Principal(principal),
            HoldReason(REASONS[reason]),
            reference,
            until.date(),
            by or login_name(),
            datetime.now(UTC),
            flow=Flow(flow) if flow else None,
            exchange_id=found,
        )
    _show([made], format)


@app.command("lift")
def lift_(
    hold: Annotated[str, typer.Argument(help="Id of the hold, or an unambiguous beginning of it.")],
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """End a hold before its last day; the next run deletes what is due.

    Example: sluice retention lift 3f0c21aa
    """
    from sluice.exchange.house import open_house
    from sluice.retention.holds import lift
    from sluice.retention.store import find_holds

    with open_house(get_settings()) as house:
        lifted = lift(house.conn, hold, by or login_name(), datetime.now(UTC))
        _show([each for each in find_holds(house.conn) if each.hold_id == lifted.hold_id], format)


@app.command("holds")
def holds(principal: PrincipalOption = None, format: FormatOption = Format.TABLE) -> None:
    """List legal holds, also ended ones: who set them, why, until when.

    JSON: holds: [{hold_id, principal, flow, exchange_id, reason, reference, until, set_by, set_at, lifted_by, ...}].

    Example: sluice retention holds --principal energy01
    """
    from sluice.exchange.house import open_house
    from sluice.exchange.read import pick_principals
    from sluice.retention.store import find_holds
    from sluice.terms import Principal

    with open_house(get_settings()) as house:
        pick_principals(house.conn, principal)
        _show(find_holds(house.conn, Principal(principal) if principal is not None else None), format)


@app.command("give-back")
def give_back_(
    principal: PrincipalArgument,
    to: Annotated[
        str | None, typer.Option(help="csv, xlsx, json, ndjson or parquet; by default as each contract says.")
    ] = None,
    agreement: AgreementOption = None,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Give the data of an ended agreement back: put the accepted rows of each flow into the principal's prefix.

    The DAG `retention` does it every night; safe to run again. Once everything is there with its receipt, retention may
    delete our copies.
    JSON: principal, agreement, version, confirmed, flows: [{flow, standing, exchange, rows, held, reason}].

    Example: sluice retention give-back energy01
    """
    from sluice.exchange.house import open_house
    from sluice.retention.give_back import give_back
    from sluice.returns.give_back import FORMATS
    from sluice.terms import Principal

    if to not in (None, *FORMATS):
        raise UsageError(Ref("option", "--to"), Ref("one of", ", ".join(FORMATS)))
    with open_house(get_settings()) as house, err.status("giving back"):
        who, now = by or login_name(), datetime.now(UTC)
        done = give_back(house, Principal(principal), now, who, form=to, agreement_id=agreement)
    lines = [
        {
            "flow": each.flow,
            "standing": each.standing.value,
            "exchange": each.exchange_id,
            "rows": each.rows,
            "held": dict(each.held),
            "reason": each.reason_code,
        }
        for each in done.flows
    ]
    head = {
        "principal": principal,
        "agreement": done.agreement.agreement_id,
        "version": done.agreement.version,
        "confirmed": done.is_confirmed,
    }
    if format is Format.JSON:
        show_json({**head, "flows": lines})
        return
    show_pairs("Given back", head)
    show_table("Flows", ("flow", "standing", "exchange", "rows", "held", "reason"), [tuple(x.values()) for x in lines])


@app.command("returned")
def returned(
    principal: PrincipalArgument,
    reference: Annotated[str, typer.Option(help="Number of the principal's confirmation.")],
    agreement: Annotated[
        str | None, typer.Option(help="Id of the agreement; needed where several that want their data back ended.")
    ] = None,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Record that the data of an ended agreement was given back, if the agreement requires that; then copies may go.

    JSON: principal, agreement, version, reference.

    Example: sluice retention returned energy01 --reference ACK-2027-004
    """
    from sluice.exchange.house import open_house
    from sluice.retention.holds import confirm_return
    from sluice.terms import Principal

    with open_house(get_settings()) as house:
        who, now = by or login_name(), datetime.now(UTC)
        ended = confirm_return(house.conn, Principal(principal), reference, who, now, agreement)
    document = {
        "principal": principal,
        "agreement": ended.agreement_id,
        "version": ended.version,
        "reference": reference,
    }
    show_json(document) if format is Format.JSON else show_pairs("Given back", document)


def _show(found: "list[LegalHold]", format: Format) -> None:
    if format is Format.JSON:
        show_json({"holds": [asdict(each) for each in found]})
        return
    columns = ("hold", "principal", "flow", "exchange", "reason", "reference", "until", "set by", "lifted by")
    rows = [
        (h.hold_id, h.principal, h.flow, h.exchange_id, h.reason, h.reference, h.until, h.set_by, h.lifted_by)
        for h in found
    ]
    show_table("Legal holds", columns, rows)
