"""Customer numbers without what their principal ignores, so that two spellings of one make one reference.

Works on normal forms; what is shown and kept stays as it came.
"""

import polars as pl

from sluice.subject.key import SubjectKey
from sluice.subject.normalise import normalise, trimmed
from sluice.terms import CustomerIdIgnores, SubjectKind

_ORDINARY = pl.col("normal").str.contains(r"^[ -~]*[1-9][ -~]*$")
"""ASCII with a digit from 1 to 9: something is left of it, and no filler word is among them."""


def compared(normal: str, key: SubjectKey) -> str | None:
    """The form that two customer numbers are compared in; None where nothing is left that names somebody."""
    if not key.ignores:
        return normal
    if CustomerIdIgnores.CASE in key.ignores:
        normal = normal.casefold()
    if CustomerIdIgnores.LEADING_ZEROS in key.ignores:
        before = ""
        while before != normal:  # of zeros and spaces in turn nothing is left
            before, normal = normal, trimmed(normal.lstrip("0"))
    return normalise(SubjectKind.PRINCIPAL_CUSTOMER_ID, normal).value


def without_zeros(value: str, key: SubjectKey) -> str | None:
    """A customer number as somebody may write it who leaves the zeros before it out: to look for it in text.

    None where they count, where there are none, and of digits alone: what is left stands in other numbers by chance.
    """
    short = trimmed(value).lstrip("0")
    is_other = CustomerIdIgnores.LEADING_ZEROS in key.ignores and short != trimmed(value)
    return short if is_other and short and not short.isdigit() else None


def compared_column(normal: pl.Series, key: SubjectKey) -> pl.Series:
    """:func:`compared` of every row; what is not ordinary is looked at one by one."""
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
