"""The columns of the Belgian authority's register, as ``facts/art30-columns.csv`` lists them (standards.md d).

The labels are in Dutch, French and English. ``certainty`` in that file says where order and words come from: the
simplified templates of the authority were not available, so the order of some columns is not confirmed.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from sluice.registers.model import Article

REGISTER, IDENTIFICATION = "register", "identification"
_NAMES = {
    (Article.CONTROLLER, IDENTIFICATION): "30(1) identification",
    (Article.CONTROLLER, REGISTER): "30(1) register",
    (Article.PROCESSOR, REGISTER): "30(2) register",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``gdpr``: the letter of Art. 30 that asks for it, or empty.

    ``mandatory``: yes, if any, if possible or no.
    """

    key: str
    gdpr: str
    mandatory: str
    labels: Mapping[str, str]

    @property
    def is_mandatory(self) -> bool:
        """Whether Art. 30 asks for it, be it only if there is any, or if possible."""
        return self.mandatory != "no"


@cache
def columns_of(article: Article, tab: str = REGISTER) -> tuple[Column, ...]:
    """The columns of one tab of a register, in order; empty if the register has no such tab."""
    wanted = _NAMES.get((article, tab))
    text = (files("sluice.registers") / "facts" / "art30-columns.csv").read_text(encoding="utf-8")
    lines = (line for line in csv.DictReader(text.splitlines()) if line["register"] == wanted)
    return tuple(
        Column(
            line["column"],
            line["gdpr"],
            line["mandatory"],
            {language: line[f"label_{language}"] for language in ("nl", "fr", "en")},
        )
        for line in sorted(lines, key=lambda line: int(line["order"]))
    )
