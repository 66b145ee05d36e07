"""How the files of a contract are read: at the gate, and whenever one is opened again."""

from sluice.agreement.model import DataContract
from sluice.gate.contract_rules import cell_format
from sluice.lake.table import FormatHints


def hints_of(contract: DataContract | None) -> FormatHints:
    """Return what the contract says about the format of its files.

    Identifiers keep the spelling that the file has, because they are searched for.
    """
    if contract is None:
        return FormatHints()
    form = contract.file_format
    others = [field for field in contract.fields if field.subject_key is None]
    formats = ((field.name, cell_format(contract, field)) for field in others)
    return FormatHints(
        format=form.format,
        delimiter=form.delimiter,
        encoding=form.encoding,
        sheet=form.sheet,
        columns=tuple(field.name for field in contract.fields),
        decimal_comma=form.decimal_comma,
        moments=tuple((name, said) for name, said in formats if said is not None),
        commas=tuple(field.name for field in others if form.decimal_comma and field.logical_type == "number"),
    )
