"""``sluice lineage``: where an exchange, an object or a person's rows came from and what became of them."""

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from sluice.cli.options import check_address, moment_of
from sluice.cli.output import Format, FormatOption, err, items, show_json, show_pairs, show_table
from sluice.errors import Ref, UsageError

app = typer.Typer(
    help="Where data came from and what became of it.",
    epilog="Example: sluice lineage show --exchange 7b0d3f1e-5a52-4c7e-9a0e-2f5f0c3d8e11",
    no_args_is_help=True,
)

ExchangeOption = Annotated[str | None, typer.Option("--exchange", help="Id of a closed exchange.")]
ObjectOption = Annotated[
    str | None, typer.Option("--object", help="s3://bucket/key, with ?versionId= for one version.")
]
SubjectOption = Annotated[
    str | None, typer.Option("--subject", help="KIND:VALUE in any spelling; - reads it from the only line of stdin.")
]
AtOption = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="T", help="With --object: as known at this moment; ISO 8601, Brussels time if no zone."
    ),
]
PrincipalOption = Annotated[str | None, typer.Option(help="With --subject: only this principal.")]


@app.callback()
def topic() -> None:
    """Where data came from and what became of it."""


@app.command("show")
def show(
    exchange: ExchangeOption = None,
    object: ObjectOption = None,
    at: AtOption = None,
    subject: SubjectOption = None,
    principal: PrincipalOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show what an exchange or object was made from and what was made from it, or where a person's rows went.

    JSON: nodes, edges, paths, and origins of the columns of returns; for a person instead exchanges [{exchange,
    principal, direction, flow, opened_at, decision, sender, recipients[], roles [{field_group, profile,
    controller, processor, owner_label}]}] and searched. The identifier is never printed.

    With --at, exchanges that were closed later are left out: those that brought or made the object, and its returns.

    Example: sluice lineage show --object s3://exchange/energy01/outbound/renewal_results/renewal_results_2026-11-24.csv
    """
    if sum(each is not None for each in (exchange, object, subject)) != 1:
        raise UsageError(Ref("option", "one of --exchange, --object and --subject"))
    if at is not None and object is None:
        raise UsageError(Ref("option", "--at without --object"))
    if subject is not None:
        _show_journey(subject, principal, format)
    elif principal is not None:
        raise UsageError(Ref("option", "--principal without --subject"))
    else:
        _show_trace(exchange, object, at, format)


def _show_trace(exchange: str | None, object: str | None, at: str | None, format: Format) -> None:
    from sluice.db import connect
    from sluice.exchange.read import show_exchange
    from sluice.lineage.graph import describe
    from sluice.lineage.trace import trace_exchange, trace_object
    from sluice.settings import get_settings

    check_address("--object", object)
    moment = moment_of("--at", at) if at is not None else None
    with connect(get_settings()) as conn:
        if exchange is not None:
            trace = trace_exchange(conn, show_exchange(conn, exchange).line.id)
        else:
            trace = trace_object(conn, object or "", moment)
    if format is Format.JSON:
        show_json(describe(trace))
        return
    show_table("Nodes", ("kind", "name"), [(node.kind, node.label) for node in trace.graph.nodes])
    show_table("Edges", ("from", "does", "to"), [(edge.source, edge.verb, edge.target) for edge in trace.graph.edges])
    show_table("Ways of the data", ("way",), [(" > ".join(path),) for path in trace.paths])
    if trace.origins:
        rows = [(each.exchange, each.column, each.field_group, each.source, each.origin) for each in trace.origins]
        show_table("Columns of returns", ("exchange", "column", "group", "source", "origin"), rows)


def _show_journey(subject: str, principal: str | None, format: Format) -> None:
    from sluice.exchange.house import open_house
    from sluice.exchange.read import pick_principals
    from sluice.rights.journey import journey_of
    from sluice.rights.person.identifiers import check_identifiers, parse_identifier
    from sluice.settings import get_settings

    person = (parse_identifier(_only(subject), 1),)
    check_identifiers(person)
    with open_house(get_settings()) as house, err.status("searching"):
        journey = journey_of(house, person, pick_principals(house.conn, principal))
    if format is Format.JSON:
        told = {"exchanges": [asdict(each) for each in journey.passages], "searched": journey.searched}
        show_json(asdict(journey.graph) | {"paths": journey.paths} | told)
        return
    show_table(
        f"In {len(journey.passages)} exchanges; index searched of: {', '.join(journey.searched)}",
        ("exchange", "opened (UTC)", "principal", "direction", "flow", "decision", "from", "to"),
        [
            (p.exchange, p.opened_at, p.principal, p.direction, p.flow, p.decision, p.sender, ", ".join(p.recipients))
            for p in journey.passages
        ],
    )
    show_table(
        "Roles",
        ("exchange", "field group", "controller", "processor", "owner", "profile"),
        [
            (p.exchange, r.field_group, r.controller, r.processor, r.owner_label, r.profile)
            for p in journey.passages
            for r in p.roles
        ],
    )
    show_table("Ways of the data", ("way",), [(" > ".join(path),) for path in journey.paths])


def _only(subject: str) -> str:
    """Return the identifier given, or the only line of stdin. Raises UsageError if more lines follow."""
    lines = items(subject)
    first = next(lines, "")
    if subject == "-" and not sys.stdin.isatty() and any(line.strip() for line in lines):
        raise UsageError(Ref("option", "--subject"), Ref("rule", "ONE_LINE_OF_STDIN"))
    return first


@app.command("again")
def again(format: FormatOption = Format.TABLE) -> None:
    """Send the events that the receiver refused (SLU-475) once more, after the cause was removed.

    They are sent by the next run of the DAG `reconcile`, within a minute; `sluice doctor` counts refused events.
    JSON: events.

    Example: sluice lineage again
    """
    from sluice.db import connect
    from sluice.exchange.outbox import send_again
    from sluice.settings import get_settings

    with connect(get_settings()) as conn:
        document = {"events": send_again(conn)}
    show_json(document) if format is Format.JSON else show_pairs("Sent again", document)
