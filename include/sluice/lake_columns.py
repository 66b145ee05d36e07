"""Names of the columns that Sluice adds to accepted rows in the lake, beside the columns of the file."""

EXCHANGE, VERSION, ROW = "sluice_exchange", "sluice_source_version", "sluice_row"
"""The exchange of a row, the version id of the object it came in, and the row's number in that file."""
REF = "sluice_subject_ref"
"""The first reference of a row that is not null: by this column the rows of a file are sorted."""
REFS = "sluice_ref_"
"""How the columns begin that hold the reference of one column of the file: :func:`ref_of`."""
CORRECTED = f"{REFS}corrected_"
"""How the columns begin that hold a reference as corrections make it, in views of the lake."""


def ref_of(column: str) -> str:
    """The column that holds the references of a column of the file."""
    return f"{REFS}{column}"


def is_ref(name: str) -> bool:
    """Whether a column holds references of persons."""
    return name == REF or name.startswith(REFS)
