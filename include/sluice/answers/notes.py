"""Free text in an answer: a note that quotes somebody else's number or address is withheld, and counted. Pure.

The screen of the gate finds telephone numbers, addresses, accounts, cards and national numbers; each one that is
not the person's own makes the note doubtful. Nothing found is not proven clean.
"""

from collections.abc import Iterator

import polars as pl

from sluice.agreement.model import DataContract
from sluice.rights.copies.model import region_of
from sluice.rights.copies.read import refs_in
from sluice.screen.model import STRUCTURED
from sluice.screen.screen import screen_notes
from sluice.subject.key import SubjectKey
from sluice.terms import ScreenAction, ScreenClass, SubjectKind

LOOKED_FOR = dict.fromkeys(STRUCTURED, ScreenAction.REVIEW)
KINDS = {
    ScreenClass.PHONE: SubjectKind.PHONE,
    ScreenClass.EMAIL: SubjectKind.EMAIL,
    ScreenClass.IBAN: SubjectKind.IBAN,
    ScreenClass.NATIONAL_NUMBER: SubjectKind.NATIONAL_NUMBER,
}
"""As what kind a finding is compared with the person's own; a card number is nobody's identifier here."""


def of_others(notes: pl.Series, key: SubjectKey, own: frozenset[str], contract: DataContract | None) -> pl.Series:
    """Tell which notes quote an identifier that is not among the person's own references.

    ``contract``: that of their file, for how it writes telephone numbers.
    """
    doubtful = set(_doubtful(notes, key, own, contract))
    return pl.Series([row in doubtful for row in range(len(notes))], dtype=pl.Boolean)


def _doubtful(notes: pl.Series, key: SubjectKey, own: frozenset[str], contract: DataContract | None) -> Iterator[int]:
    texts = notes.to_list()
    for span in screen_notes(notes, LOOKED_FOR, region=region_of(contract)).spans():
        kind = KINDS.get(span.class_)
        quoted = pl.Series([texts[span.row][span.start : span.end]])
        ref = refs_in(quoted, kind, key, contract)[0] if kind else None
        if ref is None or ref not in own:
            yield span.row
