"""Name and birth date of accepted rows, keyed, where the contract marks the columns that hold them."""

import polars as pl

from sluice.agreement.model import DataContract
from sluice.subject.candidate import candidate_column
from sluice.terms import CandidateKey


def marks_candidates(contract: DataContract) -> bool:
    """Whether a contract marks columns for both a name and a birth date."""
    return all(contract.candidate_fields(part) for part in CandidateKey)


def candidates_in(contract: DataContract, rows: pl.DataFrame, key: bytes) -> pl.Series | None:
    """Return the keyed name and birth date of each row; None if contract or file has no column for one of them."""
    there = set(rows.columns)
    names = [each.name for each in contract.candidate_fields(CandidateKey.NAME) if each.name in there]
    born = [each for each in contract.candidate_fields(CandidateKey.BIRTH_DATE) if each.name in there]
    if not names or not born:
        return None
    columns = [rows[name].cast(pl.String) for name in names]
    return candidate_column(columns, rows[born[0].name].cast(pl.String), key, born[0].date_format)
