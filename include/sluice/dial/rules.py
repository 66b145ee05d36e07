"""What a dial list may be made for, and which rows belong in it. Pure: frames in, frames out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from sluice.agreement.model import Agreement, DataContract, FieldRole, Purpose
from sluice.agreement.papers import Paper
from sluice.dial.facts import ChannelRule
from sluice.dial.model import Composed, LeftOut, NumberList
from sluice.dial.words import AGE, LAST_WORD, NO, SAID_AT, YES, Reading, last_words, names_of
from sluice.lake_columns import REF, REFS, ROW
from sluice.subject.scope import CONSENT as CONSENT_BASIS
from sluice.subject.scope import MARKETING, Use
from sluice.subject.suppression import Suppression, merge_suppressions, reasons_of

REACHED = "reached"
"""Whether the contact point of a row can be used."""
CONSENT, CONSENT_AT, CONSENT_UNTIL = "consent", "consent_at", "consent_until"
"""What the records of consent say about a row's person (given, expired or no; null for nothing), from when that dates
(UTC), and the last day of a yes."""


@dataclass(frozen=True, slots=True)
class Task:
    """One list as its paper allows it. ``columns``: the columns that are for the purpose, under its basis."""

    purpose: Purpose
    rule: ChannelRule
    columns: tuple[FieldRole, ...]
    contact: FieldRole
    consents: tuple[FieldRole, ...]
    """Columns that say whether the person agreed to this channel, for any purpose.

    A yes counts only for the purposes of its column (GDPR Art. 4(11), 6(1)(a)), a no in any column counts.
    """

    @property
    def is_marketing(self) -> bool:
        return self.purpose.iri in MARKETING

    @property
    def needs_opt_in(self) -> bool:
        """Whether consent is needed: as the basis, or by law before marketing over this channel."""
        return self.purpose.legal_basis == CONSENT_BASIS or (self.is_marketing and self.rule.needs_opt_in)

    @property
    def needs_number_list(self) -> bool:
        return self.is_marketing and self.rule.needs_number_list

    @property
    def use(self) -> Use:
        """The use that no suppression may forbid.

        If an opt-in is needed, the use rests on consent, whatever basis the paper names, so that a withdrawal counts
        (GDPR Art. 7(3); CJEU C-129/21, Proximus).
        """
        basis = CONSENT_BASIS if self.needs_opt_in else self.purpose.legal_basis
        return Use(self.purpose.iri, basis, self.rule.word)


def find_purpose(agreement: Agreement, word: str) -> Purpose | None:
    """The purpose of the agreement that a word names by its code, its IRI or the last part of that; or None."""
    return next(
        (each for each in agreement.purposes if word in (each.code, each.iri, each.iri.rpartition("#")[2])), None
    )


def task_of(paper: Paper, word: str, rule: ChannelRule) -> Task | str:
    """The task, or the reason code of why the paper allows none."""
    purpose = find_purpose(paper.agreement, word)
    if purpose is None:
        return "FORBIDDEN_PURPOSE"
    if rule.word not in purpose.channels:
        return "FORBIDDEN_CHANNEL"
    columns = tuple(field for field in paper.contract.fields if field.is_for(purpose.iri, purpose.legal_basis))
    contact = next((field for field in columns if field.subject_key is rule.contact), None)
    if contact is None:
        return "FORBIDDEN_PURPOSE"
    return Task(purpose, rule, columns, contact, _consents(paper.contract, rule))


def _consents(contract: DataContract, rule: ChannelRule) -> tuple[FieldRole, ...]:
    return tuple(field for field in contract.fields if field.consent_channel == rule.word)


def list_is_stale(task: Task, found: NumberList | None, today: date, most_days: int) -> bool:
    """Whether the task needs a Do-Not-Call-Me list and none is recent enough."""
    return task.needs_number_list and (found is None or (today - found.dated_on).days > most_days)


def compose(
    rows: pl.DataFrame,
    task: Task,
    readings: Sequence[Reading],
    suppressed: pl.DataFrame | None,
    listed: pl.Series | None,
    before: Counter[str],
) -> Composed:
    """Decide for every row whether it goes into the list or is left out, and why.

    ``rows``: rows of all files that count, with AGE and REACHED; if consent records are kept, also with SAID, CONSENT,
    CONSENT_AT and CONSENT_UNTIL. ``readings``: how to read what these files say of consent. Of file and record the
    younger word counts, but no file takes back a recorded no (GDPR Art. 21(3); CJEU C-129/21, Proximus).
    ``suppressed``: ref and reason. ``listed``: per row, whether a number in it is on the Do-Not-Call-Me list; None if
    that is not needed. ``before``: rows of files that do not count, by reason.
    """
    marked = rows.with_columns(kept_out(rows, suppressed), _listed(rows, listed)).sort(AGE, ROW)
    words = last_words(marked, readings, task.purpose.iri)
    marked = marked.with_columns(*words, *_records_of_persons(marked))
    conditions = _checks(task, names_of(readings), has_records=CONSENT in rows.columns)
    checks = [pl.when(when).then(pl.lit(reason.value)) for when, reason in conditions]
    marked = marked.with_columns(pl.coalesce("kept_out", *checks).alias("reason"))
    going = marked.filter(pl.col("reason").is_null())
    left = Counter(marked["reason"].drop_nulls().to_list()) + before
    names = [field.name for field in task.columns if field.name in going.columns]
    return Composed(
        rows=going.select(names),
        refs=_refs(marked, going),
        left_out=dict(left),
        rows_in=rows.height + sum(before.values()),
        subjects=going[REF].drop_nulls().n_unique(),
        until=_first_to_end(going),
    )


def kept_out(rows: pl.DataFrame, suppressed: pl.DataFrame | None) -> pl.Series:
    """Why each row must stay out, by a reference of its own or of another row of its person; null if it need not.

    Only an erasure does not extend from one row of a person to the others: it counts for the references it names.
    """
    columns = [rows[name] for name in rows.columns if name.startswith(REFS)]
    if suppressed is None or not columns:
        return pl.Series("kept_out", [None], dtype=pl.String).new_from_index(0, rows.height)
    own = reasons_of(columns, suppressed, rows.height)
    persons = pl.DataFrame([rows[REF].alias("ref"), own]).drop_nulls()
    meant = merge_suppressions([persons.filter(pl.col("reason") != Suppression.ERASED.value)])
    return pl.select(pl.coalesce(own, reasons_of([rows[REF]], meant, rows.height)).alias("kept_out")).to_series()


def _refs(marked: pl.DataFrame, going: pl.DataFrame) -> pl.DataFrame:
    """References of the persons in the list, from all their rows that need not stay out; any can recall the list."""
    theirs = marked.filter(pl.col("kept_out").is_null())
    older = theirs.join(going.select(REF).unique(), on=REF, how="semi")
    nobody = going.filter(pl.col(REF).is_null())
    return pl.concat([older, nobody]).select(name for name in going.columns if name.startswith(REFS))


def _first_to_end(going: pl.DataFrame) -> date | None:
    """The last day of the recorded consent that ends first: a day later, its row would be left out of a new list."""
    return going[CONSENT_UNTIL].min() if CONSENT_UNTIL in going.columns else None  # type: ignore[return-value]


def _listed(rows: pl.DataFrame, listed: pl.Series | None) -> pl.Series:
    nothing = pl.Series([False]).new_from_index(0, rows.height)
    return (nothing if listed is None else listed).alias("listed")


def _checks(task: Task, columns: Sequence[str], has_records: bool) -> Sequence[tuple[pl.Expr, LeftOut]]:
    """Conditions in order; the first that holds is the reason. Rows must be sorted oldest first.

    ``columns``: names of the consent columns.
    """
    said = [(_outlives(name, has_records), pl.col(f"{LAST_WORD}{name}")) for name in columns]
    refused = pl.any_horizontal(pl.lit(False), *(counts & word.eq(NO).fill_null(False) for counts, word in said))
    given = pl.any_horizontal(pl.lit(False), *(counts & word.eq(YES).fill_null(False) for counts, word in said))
    if has_records:
        refused |= pl.col(CONSENT).eq("no").fill_null(False)
        refused |= pl.col(CONSENT).eq("expired").fill_null(False) & ~given
        given |= pl.col(CONSENT).eq("given").fill_null(False)
    checks = [
        (pl.col(REF).is_not_null() & ~pl.col(REF).is_last_distinct(), LeftOut.OLDER_ROW),
        (~pl.col(REACHED), LeftOut.NO_CONTACT_POINT),
        (refused, LeftOut.OPTED_OUT),
    ]
    checks += [(~given, LeftOut.NO_OPT_IN)] if task.needs_opt_in else []
    return [*checks, (pl.col("listed"), LeftOut.DO_NOT_CALL_ME)]


def _outlives(name: str, has_records: bool) -> pl.Expr:
    """Whether the last word in a file column counts: only if the records have none that is as young or younger."""
    if not has_records:
        return pl.lit(True)
    has_word = pl.col(f"{LAST_WORD}{name}").is_not_null()
    return has_word & (pl.col(CONSENT).is_null() | (pl.col(f"{SAID_AT}{name}") > pl.col(CONSENT_AT)).fill_null(False))


def _records_of_persons(rows: pl.DataFrame) -> list[pl.Expr]:
    """Give all rows of a person the youngest record of any of them; of the same moment, a no wins over a yes."""
    if CONSENT not in rows.columns:
        return []
    order = (pl.col(CONSENT_AT), pl.col(CONSENT) != "given", pl.col(CONSENT) == "no")
    return [
        pl.when(pl.col(REF).is_null()).then(name).otherwise(pl.col(name).sort_by(order).last().over(REF)).alias(name)
        for name in (CONSENT, CONSENT_AT, CONSENT_UNTIL)
    ]
