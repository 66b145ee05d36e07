"""What a return is made of, as its youngest contract says, whether that contract can be used or not."""

from datetime import datetime

from sluice.agreement.contract.columns import custom
from sluice.agreement.document import parse_document
from sluice.agreement.model import ReturnRecipe
from sluice.db import Connection
from sluice.terms import Direction, Flow, Principal


def find_recipe(conn: Connection, principal: Principal, flow: Flow, known_at: datetime) -> ReturnRecipe | None:
    """The recipe of a flow as known at a moment; None if no contract says one."""
    row = conn.execute(
        """select d.body, d.path from activation a join document d using (sha256)
           where a.kind = 'contract' and a.document_id = %s and a.known_from <= %s
           order by a.known_from desc, a.valid_from desc limit 1""",
        (f"{principal}.{Direction.OUTBOUND_RETURN}.{flow}", known_at),
    ).fetchone()
    if row is None:
        return None
    said = custom(parse_document(bytes(row["body"]), row["path"]).root)
    contacts, results, record = (
        said[name].text if name in said else None for name in ("contactsFlow", "resultsFlow", "recordId")
    )
    return ReturnRecipe(Flow(contacts), Flow(results), record, ()) if contacts and results and record else None
