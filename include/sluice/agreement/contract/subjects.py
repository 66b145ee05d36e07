"""Which columns of a file can name a person, and as what. Pure."""

from collections.abc import Mapping

from sluice.agreement.model import DataContract
from sluice.terms import SubjectKind


def naming_columns(contract: DataContract, contacts: DataContract | None = None) -> Mapping[str, SubjectKind]:
    """Return the columns that can name a person, and as what.

    A column of a return names a person when the column of the contacts that it echoes does. ``contacts``: the contract
    of the contacts that a return was made from.
    """
    found = {field.name: field.subject_key for field in contract.subject_fields}
    if contract.recipe is not None and contacts is not None:
        kinds = {f"contacts.{field.name}": field.subject_key for field in contacts.subject_fields}
        found |= {field.name: kinds[field.source] for field in contract.fields if field.source in kinds}
    return {name: kind for name, kind in found.items() if kind is not None}
