"""Agreements and their roles as documents, the same for the command and for HTTP. Pure."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sluice.agreement.model import Agreement
from sluice.agreement.roles.profiles import RolesRow


def describe(agreement: Agreement) -> dict[str, Any]:
    """An agreement as one entry of a list; ``valid_from`` and ``valid_to`` are Brussels days."""
    return {
        "id": agreement.agreement_id,
        "version": agreement.version,
        "principal": agreement.principal,
        "valid_from": agreement.valid_from.isoformat(),
        "valid_to": agreement.valid_to.isoformat() if agreement.valid_to else None,
        "purposes": [purpose.code for purpose in agreement.purposes],
    }


def describe_roles(agreement: Agreement, rows: Sequence[RolesRow]) -> dict[str, Any]:
    """The role matrix of an agreement version, in one direction."""
    return {"agreement": agreement.agreement_id, "version": agreement.version, "rows": [asdict(row) for row in rows]}
