"""Contacts for engineers as Arrow tables: a governed dial list, or the rows of the lake that may be looked at.

``dial_list(...).to_pandas()`` gives a pandas DataFrame. There is no other way to get contacts.
"""

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl

from sluice.agreement.in_force.store import in_force
from sluice.agreement.papers import PaperMissing
from sluice.dial import store
from sluice.dial.make import make_dial_list
from sluice.dial.model import Channel, DialRefused, Request
from sluice.dial.view import read_rows, without
from sluice.dial.words import AGE
from sluice.errors import Ref
from sluice.exchange.catalogue import get_copy
from sluice.exchange.house import House, open_house
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.exchange.uses import needs_of_file
from sluice.exchange.workroom import private_folder
from sluice.ledger.copy_kinds import DIALLED
from sluice.settings import Settings, get_settings, login_name
from sluice.terms import Direction, Flow, Principal
from sluice.times import brussels_day

if TYPE_CHECKING:
    import pyarrow as pa


def dial_list(
    principal: str,
    flow: str,
    purpose: str,
    channel: str,
    *,
    asked_by: str | None = None,
    settings: Settings | None = None,
) -> "pa.Table":
    """Make a dial list, an exchange of its own with record and receipt, and return it as a ``pyarrow.Table``.

    ``purpose``: code or IRI of the agreement. ``channel``: phone, sms or email. Raises DialRefused; raises NotFound if
    the list was taken back before it could be read.
    """
    import pyarrow.parquet as pq

    request = Request(
        str(uuid4()), Principal(principal), Flow(flow), purpose, Channel(channel), "parquet", asked_by or login_name()
    )
    with open_house(settings or get_settings()) as house:
        done = make_dial_list(house, request, datetime.now(UTC))
        given = get_copy(house.conn, done.exchange_id, DIALLED)
        return pq.read_table(io.BytesIO(house.objects.read(given.bucket, given.key, given.version_id)))


def lake_view(principal: str, flow: str, *, settings: Settings | None = None) -> "pa.Table":
    """Accepted rows of a flow as a ``pyarrow.Table``, without persons who must stay out now, and with corrections."""
    with open_house(settings or get_settings()) as house:
        return view_rows(house, Principal(principal), Flow(flow)).drop(AGE).to_arrow()


def view_rows(house: House, principal: Principal, flow: Flow) -> pl.DataFrame:
    """Like :func:`lake_view`, as a frame; the column AGE numbers the files, oldest first.

    Raises DialRefused if the flow has no paper in force.
    """
    now = datetime.now(UTC)
    today = brussels_day(now)
    paper = in_force(house.conn, principal, Direction.INBOUND, flow, today, now)
    if isinstance(paper, PaperMissing):
        raise DialRefused(Ref("principal", principal), Ref("flow", flow), Ref("reason", paper.reason.name))
    inputs = [
        each
        for each in store.find_inputs(house.conn, principal, flow)
        if each.delete_after is None or each.delete_after >= today
    ]
    with private_folder(house) as folder:
        rows = read_rows(house, principal, paper.contract, inputs, folder)
    return without(rows, find_suppressed(house, principal, needs_of_file(paper)))
