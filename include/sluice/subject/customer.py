"""Customer numbers without what their principal ignores, so that two spellings of one make one reference.

Works on normal forms; what is shown and kept stays as it came.
"""

import polars as pl

from sluice.subject.key import SubjectKey
from sluice.subject.normalise import normalise, trimmed
from sluice.terms import CustomerIdIgnores, SubjectKind

_ORDINARY = pl.col("normal").str.contains(r"^[ -~]*[1-9][ -~]*$")
"""Matches ASCII with a digit from 1 to 9: something is left of it, and it is no filler word."""


def compared(normal: str, key: SubjectKey) -> str | None:
    """Return the form that two customer numbers are compared in; None if nothing is left that names somebody."""
    if not key.ignores:
        return normal
    if CustomerIdIgnores.CASE in key.ignores:
        normal = normal.casefold()
    if CustomerIdIgnores.LEADING_ZEROS in key.ignores:
        before = ""
        while before != normal:  # so that nothing is left of zeros and spaces in turn
            before, normal = normal, trimmed(normal.lstrip("0"))
    return normalise(SubjectKind.PRINCIPAL_CUSTOMER_ID, normal).value


def without_zeros(value: str, key: SubjectKey) -> str | None:
    """Return a customer number without its leading zeros, as somebody may write it, to look for it in text.

    None if leading zeros count, if there are none, or if only digits are left: those stand in other numbers by chance.
    """
    short = trimmed(value).lstrip("0")
    is_other = CustomerIdIgnores.LEADING_ZEROS in key.ignores and short != trimmed(value)
    return short if is_other and short and not short.isdigit() else None


def compared_column(normal: pl.Series, key: SubjectKey) -> pl.Series:
    """Return :func:`compared` of every row; numbers that are not ordinary are looked at one by one."""
    if not key.ignores:
        return normal
    text = pl.col("normal")
    if CustomerIdIgnores.CASE in key.ignores:
        text = text.str.to_lowercase()
    if CustomerIdIgnores.LEADING_ZEROS in key.ignores:
        text = text.str.strip_chars_start("0 ")
    frame = normal.alias("normal").to_frame()
    folded = frame.lazy().select(pl.when(_ORDINARY).then(text)).collect(engine="streaming").to_series()
    odd = (folded.is_null() & normal.is_not_null()).arg_true()
    one_by_one = pl.Series([compared(value, key) for value in normal.gather(odd)], dtype=pl.String)
    return folded.scatter(odd, one_by_one).alias(normal.name)
