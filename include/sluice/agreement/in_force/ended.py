"""Which agreements of a principal ended, and with which of them the data of a flow ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sluice.agreement.folder.load import parse_agreement
from sluice.agreement.model import Agreement
from sluice.db import Connection
from sluice.terms import Direction, Flow, Principal


@dataclass(frozen=True, slots=True)
class Ends:
    """The agreements of a principal that ended before a Brussels date, by id: each in its last version.

    ``flows``: the id of every contract (``principal.direction.flow``), and the agreement that it named last.
    ``last``: the agreement that ended last; None while one holds, or if there was none.
    """

    principal: Principal
    ended: Mapping[str, Agreement]
    flows: Mapping[str, str]
    last: Agreement | None

    def of(self, direction: Direction, flow: Flow, agreement_id: str | None = None) -> Agreement | None:
        """The ended agreement with which the data of a flow ends; None while it goes on.

        A flow that went over to another agreement ends with that one. ``agreement_id``: that of data without a contract
        of its own, such as dial lists. What came without any paper ends with the last agreement.
        """
        name = self.flows.get(f"{self.principal}.{direction}.{flow}", agreement_id)
        return self.ended.get(name) if name is not None else self.last

    @property
    def contracts(self) -> tuple[str, ...]:
        """Ids of the contracts whose data ended."""
        return tuple(contract for contract, name in self.flows.items() if name in self.ended)


def read_ends(conn: Connection, principal: Principal, on: date, known_at: datetime) -> Ends:
    """Which agreements of a principal ended before a Brussels date, as known at an instant."""
    rows = conn.execute(
        """select a.kind, a.document_id as id, d.path, d.body, d.agreement_id, a.valid_to
           from sluice.activation a join sluice.document d using (sha256)
           where d.principal = %(principal)s and a.valid_from <= %(on)s
             and a.known_from <= %(known_at)s and (a.known_to is null or %(known_at)s < a.known_to)
           order by a.valid_from, a.document_id""",
        {"principal": principal, "on": on, "known_at": known_at},
    ).fetchall()
    papers = {row["id"]: row for row in rows if row["kind"] == "agreement"}
    over = {name: row for name, row in papers.items() if row["valid_to"] is not None and row["valid_to"] < on}
    ended = {name: parse_agreement(bytes(row["body"]), row["path"]) for name, row in over.items()}
    last = None if len(over) < len(papers) else max(over, key=lambda name: over[name]["valid_to"], default=None)
    return Ends(
        principal=principal,
        ended=ended,
        flows={row["id"]: row["agreement_id"] for row in rows if row["kind"] == "contract"},
        last=ended[last] if last is not None else None,
    )


def find_ended(conn: Connection, principal: Principal, on: date, known_at: datetime) -> Agreement | None:
    """The agreement of a principal that ended last if none holds on a date any more; None while one does."""
    return read_ends(conn, principal, on, known_at).last
