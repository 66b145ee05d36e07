"""What is ignored when a principal's customer numbers are compared, by its papers in force; and that this stays so."""

from functools import lru_cache

from sluice.agreement.contract.customer_ids import CHANGED, Ignored, ignored_in, place_of, told
from sluice.agreement.contract.shape import CUSTOMER_ID_IGNORES
from sluice.agreement.document import Document, Found, locate, parse_document
from sluice.agreement.folder.lint import Folder
from sluice.agreement.model import Problem
from sluice.db import Connection
from sluice.terms import Principal

_CONTRACTS = """
    select d.body, d.path from sluice.document d join sluice.activation a using (sha256)
    where d.kind = 'contract' and d.principal = %(principal)s
      and exists (select from sluice.document o where o.kind = 'contract' and o.principal = d.principal
                  and position(%(word)s::bytea in o.body) > 0)
    group by d.sha256 order by max(a.activated_at) desc, d.document_id
"""
"""Contracts, the last activated first; none if no contract of the principal ever mentioned it."""
_KEPT = """
    select exists (select from sluice.suppression_run where principal = %(principal)s)
        or exists (select from sluice.consent_run where principal = %(principal)s)
        or exists (select from sluice.exchange where principal = %(principal)s and decision = 'open')
        or exists (select from sluice.copy join sluice.exchange using (exchange_id)
            where principal = %(principal)s and kind in ('lake', 'index', 'index.rest')) as has
"""
"""Whether references of a principal's persons are kept or are being made."""


def ignored_by(conn: Connection, principal: Principal) -> Ignored:
    """What the contract with a customer number that was activated last says is ignored; all in force say the same."""
    rows = conn.execute(_CONTRACTS, {"principal": principal, "word": CUSTOMER_ID_IGNORES.encode()}).fetchall()
    said = (_ignored_in(bytes(row["body"]), row["path"]) for row in rows)
    return next((ignored for ignored in said if ignored is not None), frozenset())


@lru_cache(maxsize=256)
def _ignored_in(body: bytes, path: str) -> Ignored | None:
    return ignored_in(parse_document(body, path))


def _said(folder: Folder) -> list[tuple[Document, Ignored]]:
    contracts = [document for document in folder.documents if document.is_contract]
    return [(contract, ignored) for contract in contracts if (ignored := ignored_in(contract)) is not None]


def check_unchanged(conn: Connection, folder: Folder) -> list[Problem]:
    """Problems with contracts that would make kept references incomparable.

    Call inside a transaction: if something changed, no exchange can be opened until it ends.
    """
    principal = Principal(folder.path.name)
    before = ignored_by(conn, principal)
    changed = [contract for contract, ignored in _said(folder) if ignored != before]
    if not changed:
        return []
    conn.execute("lock table sluice.exchange in share mode")
    row = conn.execute(_KEPT, {"principal": principal}).fetchone()
    if not (row and row["has"]):
        return []
    return [locate(each, Found(place_of(each), CHANGED, f"kept: {told(before)}")) for each in changed]
