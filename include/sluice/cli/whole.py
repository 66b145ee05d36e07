"""The app with every topic, for ``--help``, the reference pages and the tests."""

from sluice.cli import (
    agreement,
    alarms,
    breach,
    case,
    consent,
    contract,
    demo,
    dial,
    erase,
    exchange,
    export,
    gate,
    keys,
    ledger,
    lineage,
    notices,
    principal,
    receipt,
    recipients,
    register,
    retention,
    review,
    services,
    staff,
    subject,
    suppression,
)
from sluice.cli.root import root

app = root()
app.command("up")(services.up)
app.command("down")(services.down)
app.command("status")(services.status)
app.command("doctor")(services.doctor)
app.command("demo")(demo.demo)
app.add_typer(agreement.app, name="agreement")
app.add_typer(contract.app, name="contract")
app.add_typer(principal.app, name="principal")
app.add_typer(gate.app, name="gate")
app.add_typer(exchange.app, name="exchange")
app.add_typer(receipt.app, name="receipt")
app.add_typer(recipients.app, name="recipients")
app.add_typer(register.app, name="register")
app.add_typer(review.app, name="review")
app.add_typer(ledger.app, name="ledger")
app.add_typer(lineage.app, name="lineage")
app.add_typer(staff.app, name="staff")
app.add_typer(subject.app, name="subject")
app.add_typer(case.app, name="case")
app.add_typer(notices.app, name="notices")
app.add_typer(alarms.app, name="clock")
app.add_typer(erase.app, name="erase")
app.add_typer(retention.app, name="retention")
app.add_typer(export.app, name="export")
app.add_typer(breach.app, name="breach")
app.add_typer(suppression.app, name="suppression")
app.add_typer(keys.app, name="keys")
app.add_typer(consent.app, name="consent")
app.add_typer(dial.app, name="dial")
app.add_typer(dial.dncm, name="dncm")
