"""Records of consent in an answer: to what the person said yes or no, when and how (GDPR Art. 7(1), 15(1)).

They are in no copy of a file: the lake keeps them by principal, under references alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from sluice.answers.authority import PRINCIPAL, Authority
from sluice.answers.model import GIVEN, Consents, FieldLine, Found, Why, Withheld
from sluice.answers.select import COMPANY, DATASET, DAY, EXCHANGE, KEPT_IN, META, Selected, totals
from sluice.exchange.house import House
from sluice.exchange.persons.consents import find_lists
from sluice.rights.copies.model import CONSENTS
from sluice.terms import FieldGroup, Principal
from sluice.times import ZONE

TABLE = "consent_record"
"""How the table of an answer is called."""
CELLS = ("purpose", "channel", "state", "at", "until", "method", "notice", "collected_by")
"""The columns of that table: as a record has them, moments in UTC."""
GROUP = FieldGroup.CONSENT.value
"""Whoever decides on this field group decides on the records."""


def find_consents(
    house: House, principal: Principal, asked: frozenset[str], own: frozenset[str], sure: frozenset[str]
) -> Consents:
    """Find the records of one person. Raises EvidenceInvalid for a list that was lost.

    asked: references of what the person gave. own: those in their rows. sure: those of both that are theirs alone.
    """
    every = find_lists(house, principal)
    found = every.filter(pl.col("ref").is_in(sorted(asked | own | sure))).sort("at", "record_id")
    is_sure, is_asked = (found["ref"].is_in(sorted(refs)) for refs in (sure, asked))
    return Consents(
        records=found.filter(is_sure),
        others=int((is_asked & ~is_sure).sum()),
        unasked=int((~is_asked & ~is_sure).sum()),
        lists=every["run_id"].n_unique(),
        hits=found["run_id"].n_unique(),
    )


def with_consents(selected: Selected, found: Sequence[Found], authorities: Mapping[str, Authority]) -> Selected:
    """Add the records that may be given, as a table; a line for each principal that has some, and what is left out."""
    lines, tables, left = list(selected.fields), list[pl.DataFrame](), list(selected.by_dataset)
    for each in found:
        counts = {Why.ROWS: each.consents.others, Why.UNASKED: each.consents.unasked}
        left += [Withheld(each.company, CONSENTS, why, count) for why, count in counts.items() if count]
        if each.consents.records.height:
            word = authorities[each.principal].word(PRINCIPAL, GROUP)
            lines.append(_line(each.principal, word))
            tables += [_table(each)] if word == GIVEN else []
    more = {TABLE: pl.concat(tables)} if tables else {}
    return replace(
        selected,
        tables={**selected.tables, **more},
        fields=tuple(lines),
        withheld=totals(left),
        by_dataset=tuple(left),
    )


def _line(principal: str, word: str) -> FieldLine:
    return FieldLine(
        principal=principal,
        controller=PRINCIPAL,
        dataset=CONSENTS,
        name=TABLE,
        group=GROUP,
        included=word == GIVEN,
        reason=word.rpartition("#")[2],
        iri=word if "#" in word else None,
    )


def _table(found: Found) -> pl.DataFrame:
    """Return what may be given, as text: what was recorded under several identifiers at once is there once."""
    at = pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    day = pl.col("at").dt.convert_time_zone(ZONE).dt.strftime("%Y-%m-%d")
    words = {COMPANY: found.company, DATASET: CONSENTS, EXCHANGE: None, KEPT_IN: CONSENTS}
    told = found.consents.records.with_columns(
        day.alias(DAY),
        at.alias("at"),
        pl.col("until").dt.strftime("%Y-%m-%d").alias("until"),
        *(pl.lit(word, pl.String).alias(name) for name, word in words.items()),
    )
    return told.select(*META, *CELLS).unique(maintain_order=True)
