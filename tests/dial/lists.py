"""What the tests of dial lists share: a desk with contacts, a number list, a list that is asked for and read."""

import io
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import polars as pl

from sluice.agreement.in_force.activate import activate_all
from sluice.dial.dncm import import_numbers
from sluice.dial.make import make_dial_list
from sluice.dial.model import Channel, Dialled, Request
from sluice.exchange.read import show_exchange
from sluice.ledger.record import ExchangeRecord
from sluice.terms import Flow, Principal
from sluice.times import BRUSSELS
from support.desk import ENERGY, Desk
from support.night import change
from support.stores import CHECKOUT

CONTRACT = "renewal_campaign.inbound.odcs.yaml"
ENERGY01, CAMPAIGN = Principal(ENERGY[0]), Flow(ENERGY[1])


def now() -> datetime:
    return datetime.now(UTC)


def today():
    return now().astimezone(BRUSSELS).date()


def contacts(desk: Desk, rows: int = 60) -> pl.DataFrame:
    """A file of contacts, accepted."""
    path, _ = desk.campaign(rows)
    desk.drop(path)
    desk.work()
    return pl.read_csv(path, separator=";", infer_schema=False)


def numbers(desk: Desk, *phones: str, days_ago: int = 0) -> str:
    """A Do-Not-Call-Me list with these numbers, downloaded some days ago; its hash."""
    path = desk.folder / f"dncm-{days_ago}-{len(phones)}.txt"
    path.write_text("\n".join(("+32470999999", *phones)))
    return import_numbers(desk.house, path, today() - timedelta(days=days_ago), "anna", now()).found.sha256


def ask(desk: Desk, purpose: str = "P-RENEW", channel: str = "phone", form: str = "csv", name: str = "") -> Dialled:
    request = Request(name or str(uuid4()), ENERGY01, CAMPAIGN, purpose, Channel(channel), form, "anna")
    return make_dial_list(desk.house, request, now())


def listed(desk: Desk, done: Dialled) -> pl.DataFrame:
    """The rows of a dial list as agents read them."""
    content = desk.house.objects.read(done.bucket, done.key)
    match done.key.rpartition(".")[2]:
        case "parquet":
            return pl.read_parquet(io.BytesIO(content))
        case "xlsx":
            return pl.read_excel(io.BytesIO(content), engine="openpyxl", infer_schema_length=0)
    return pl.read_csv(io.BytesIO(content), separator=";", infer_schema=False)


def record(desk: Desk, done: Dialled) -> ExchangeRecord:
    found = show_exchange(desk.house.conn, done.exchange_id).record
    assert found is not None
    return found


def called(desk: Desk) -> set[str]:
    """Customers in a dial list that is made now."""
    return set(listed(desk, ask(desk))["customer_number"])


def next_version(desk: Desk, *edits: tuple[str, str], version: str = "1.1.0") -> None:
    """The contract of contacts in a later version, in force: that of the checkout, changed."""
    path = desk.settings.principals_dir / ENERGY01 / CONTRACT
    path.write_bytes((CHECKOUT / "include" / "principals" / ENERGY01 / CONTRACT).read_bytes())
    for old, new in (("version: 1.0.0", f"version: {version}"), *edits):
        change(path, old, new)
    for done in activate_all(desk.house.conn, desk.settings.principals_dir, now()):
        assert not done.is_refused, done.problems
