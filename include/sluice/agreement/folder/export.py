"""Export a contract file in the form of another standard."""

from pathlib import Path
from typing import Any

from sluice.agreement.contract.dcat import contract_as_dcat, read_about
from sluice.agreement.document import make_problem, read_document
from sluice.agreement.errors import PaperInvalid
from sluice.agreement.folder.load import find_pinned, load_contract


def export_dcat(path: Path) -> dict[str, Any]:
    """A contract file as DCAT 3 in JSON-LD. Raises PaperInvalid if it does not load."""
    document = read_document(path)
    agreement = find_pinned(document, path.parent) if document.is_contract else None
    contract = load_contract(path, agreement)
    if agreement is None:  # load_contract has refused it already, with every problem
        raise PaperInvalid(make_problem(str(path), 1, "CON-027", "agreementId"))
    return contract_as_dcat(contract, agreement, read_about(document))
