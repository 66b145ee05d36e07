"""Join results with contacts, and decide which rows go into a return and which are held, and why. Pure.

Nothing is guessed: rows are joined on the principal's own record id, an equal SubjectRef of the same kind proves that
both are about the same person, and a row that does not fit is held with its reason.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from sluice.agreement.model import FieldRole
from sluice.lake_columns import CORRECTED, EXCHANGE, REF, REFS, ROW, is_ref
from sluice.results.merge import ATTEMPTS, KEYS, merge_results, outcomes
from sluice.returns.model import Held, Rules, SortedOut
from sluice.subject.suppression import reasons_of
from sluice.terms import FieldGroup, RoleProfile

CONTACTS, RESULTS = "contacts.", "results."
BY_ID = "sluice_proves_by_id"
"""Column of contacts: whether the record id of a row proves the person, because its file gave nothing else."""
LACKS_SOURCE = "sluice_lacks_source"
"""Column of contacts: whether the file of a row came under a contract that does not know a column to be echoed."""
MARKS = (BY_ID, LACKS_SOURCE)
HANDS = 2
DELETED, YOUNGEST = "[Deleted]", ".youngest"

WORK = ("talk_seconds", "wrap_seconds", "note", "order_number", "recording_ref", "callback_at")
WORK_GROUPS = frozenset(
    {FieldGroup.NOTE_FREE_TEXT, FieldGroup.ORDER_RESULT, FieldGroup.RECORDING_REF, FieldGroup.CALLBACK}
)
"""Where the work of a human shows: columns by canonical name, and columns of the return by group."""

Staff = Callable[[pl.DataFrame], pl.DataFrame]
"""Finds the agent of every row. Takes columns ``agent``, ``started_at``, ``EXCHANGE`` and ``is_worked`` (whether the
work of a human shows); returns ``agent_ref`` and ``reason`` (null if the row may go)."""


def results_of_day(parts: Sequence[pl.LazyFrame], rules: Rules, since: str, until: str) -> pl.DataFrame:
    """The outcome of every record on one day: repeated and late deliveries are merged, and the last contact wins.

    ``since``, ``until``: bounds of the day, in UTC as the rows write it. Contacts without a record id come first, each
    as a row of its own; then one row per record, by record id. Contacts of other campaigns follow separately, since
    they must not count as the last contact of our record.
    """
    delivered = pl.concat([_needed(part, rules) for part in parts], how="diagonal")
    in_day = delivered.filter(pl.col("started_at") >= since, pl.col("started_at") < until).collect()
    if in_day.select(_is_foreign(pl.col("campaign"), rules).any()).item():
        merged = merge_results(in_day)  # first: a later delivery may name another campaign
        is_foreign = merged.select(_is_foreign(pl.col("campaign"), rules)).to_series()
        found = pl.concat([outcomes(merged.filter(~is_foreign)), outcomes(merged.filter(is_foreign))], how="diagonal")
    else:
        found = outcomes(in_day)
    return found.with_columns(pl.col(ATTEMPTS).cast(pl.String))


def _is_foreign(campaign: pl.Expr, rules: Rules) -> pl.Expr:
    """Whether a contact is of a campaign that the contract does not name."""
    return ~campaign.is_in(sorted(rules.campaigns)).fill_null(False) if rules.campaigns else pl.lit(False)


def _needed(part: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """Keep only columns that leave or that decide. All references decide, because an objection can come by any."""
    leaving = {str(column.source).removeprefix(RESULTS) for column in rules.columns}
    deciding = {*KEYS, *WORK, "campaign", "agent", EXCHANGE, ROW, *(ours for ours, _ in rules.checks)}
    names = part.collect_schema().names()
    return part.select(name for name in names if name in leaving | deciding or name.startswith(REFS))


def contacts_by_record(parts: Sequence[pl.LazyFrame], rules: Rules) -> pl.DataFrame:
    """One row per record id, from the youngest file that has it; ``ambiguous`` if files name different persons.

    ``parts``: oldest first, each with ``BY_ID`` and ``LACKS_SOURCE``; without any, or if none has record ids, the
    result is empty. Only columns for the join and echoed ones are read. Rows are ordered by record id, like the
    results, which makes the join several times faster.
    """
    record = pl.col(rules.record_id)
    echoed = [str(column.source).removeprefix(CONTACTS) for column in rules.columns]
    wanted, flags = frozenset({rules.record_id, *MARKS, *echoed}), dict.fromkeys((*MARKS, "ambiguous"), pl.Boolean)
    parts = [part for part in parts if rules.record_id in part.collect_schema()]
    if not parts:
        texts = dict.fromkeys([REF, *rules.kinds, *wanted], pl.String)
        return pl.DataFrame(schema={**texts, **flags})
    picked = [_pick(part, age, wanted) for age, part in enumerate(parts)]
    there = pl.concat(picked, how="diagonal").filter(record.is_not_null())
    whole = there.sort(rules.record_id, maintain_order=True).collect()
    if not whole[rules.record_id].eq(whole[rules.record_id].shift()).any():
        return whole.drop("age").with_columns(pl.lit(False).alias("ambiguous"))
    every = whole.lazy().sort("age", maintain_order=True)
    youngest = every.unique(rules.record_id, keep="last", maintain_order=True)
    persons = _ambiguous(every.filter(record.is_duplicated()), rules)
    return youngest.join(persons, on=rules.record_id, how="left").drop("age").sort(rules.record_id).collect()


def _ambiguous(repeated: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """Repeated record ids; ``ambiguous`` if an older row shares no reference with the youngest one.

    The record id itself proves nothing here, as all these rows share it.
    """
    there = repeated.collect_schema().names()
    proofs = [name for name in rules.kinds if name in there and not _is_id(name, rules)]
    youngest = repeated.unique(rules.record_id, keep="last", maintain_order=True).select(rules.record_id, *proofs)
    comparable, same = _compared(
        [
            (pl.col(name), pl.col(f"{other}{YOUNGEST}"))
            for name in proofs
            for other in proofs
            if name.replace(CORRECTED, REFS) == other.replace(CORRECTED, REFS)
        ]
    )
    beside = repeated.join(youngest, on=rules.record_id, suffix=YOUNGEST)
    return beside.group_by(rules.record_id).agg((comparable & ~same).any().alias("ambiguous"))


def _compared(pairs: Sequence[tuple[pl.Expr, pl.Expr]]) -> tuple[pl.Expr, pl.Expr]:
    """For pairs of references of the same kind: whether any pair can be compared, and whether any pair is equal."""
    both = [one.is_not_null() & other.is_not_null() for one, other in pairs]
    equal = [one.eq(other).fill_null(False) for one, other in pairs]
    return pl.any_horizontal(both or [pl.lit(False)]), pl.any_horizontal(equal or [pl.lit(False)])


def _pick(part: pl.LazyFrame, age: int, wanted: frozenset[str]) -> pl.LazyFrame:
    names = part.collect_schema().names()
    own = [name for name in names if is_ref(name)]
    columns = [*own, *(name for name in names if name in wanted)]
    return part.select(columns).with_columns(pl.lit(age, pl.UInt32).alias("age"))


def missing_sources(contacts: pl.DataFrame, results: pl.DataFrame, rules: Rules) -> tuple[str, ...]:
    """Columns of the return whose source is missing from all inputs. If only some lack it, their rows are held."""
    there = {CONTACTS + name for name in contacts.columns} | {RESULTS + name for name in results.columns}
    return tuple(column.name for column in rules.columns if column.source not in there)


def sort_out(
    contacts: pl.DataFrame, results: pl.DataFrame, rules: Rules, staff: Staff, suppressed: pl.DataFrame | None = None
) -> SortedOut:
    """Decide for every merged result whether it goes or is held. The rows that go are ordered by record id.

    ``suppressed``: references of persons who must stay out, with the reason, which comes before any other.
    """
    known = contacts.select(pl.all().name.prefix(CONTACTS), pl.lit(True).alias("known"))
    with ThreadPoolExecutor(HANDS) as beside:
        agents = beside.map(staff, _shares(results.select("agent", "started_at", EXCHANGE, _is_worked(results, rules))))
        joined = results.select(pl.all().name.prefix(RESULTS)).join(
            known,
            left_on=RESULTS + "record_id",
            right_on=CONTACTS + rules.record_id,
            how="left",
            coalesce=False,
            maintain_order="left",
        )
        told = pl.concat(agents).select(pl.all().name.prefix("staff."))
    marked = joined.with_columns(*told, _kept_out(joined, suppressed))
    checked = [pl.when(when).then(pl.lit(reason)) for when, reason in _reasons(marked, rules)]
    marked = marked.with_columns(pl.coalesce("kept_out", *checked, "staff.reason").alias("reason"))
    going, held = marked.filter(pl.col("reason").is_null()), marked.filter(pl.col("reason").is_not_null())
    return SortedOut(
        going=going.select(*(_value(column, rules).alias(column.name) for column in rules.columns)),
        held=held.select(
            pl.col(RESULTS + EXCHANGE).alias(EXCHANGE),
            pl.col(RESULTS + ROW).alias(ROW),
            pl.col("staff.agent_ref").alias("agent_ref"),
            "reason",
        ),
        persons=going.select(
            pl.col(CONTACTS + name).alias(name) for name in rules.kinds if CONTACTS + name in going.columns
        ),
        withheld=_withheld(going, rules),
        subjects=going[CONTACTS + REF].n_unique(),
    )


def _is_worked(results: pl.DataFrame, rules: Rules) -> pl.Expr:
    """Whether a contact holds something that only a human leaves; zero seconds do not count."""
    told = {str(each.source).removeprefix(RESULTS) for each in rules.columns if each.group in WORK_GROUPS}
    filled = [pl.col(name).str.strip_chars(" 0").ne("") for name in results.columns if name in told.union(WORK)]
    return pl.any_horizontal(each.fill_null(False) for each in filled or [pl.lit(False)]).alias("is_worked")


def _shares(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Split the rows into one part per thread; each row is judged independently."""
    size = max(1, -(-rows.height // HANDS))
    return (rows.slice(number * size, size) for number in range(HANDS))


def _kept_out(joined: pl.DataFrame, suppressed: pl.DataFrame | None) -> pl.Series:
    """Why a person must stay out, by any reference of the contact or of the result."""
    names = [name for name in joined.columns if name.partition(".")[2].startswith(REFS)]
    columns = [] if suppressed is None else [joined[name] for name in names]
    nobody = pl.DataFrame(schema={"ref": pl.String, "reason": pl.String})
    found = reasons_of(columns, nobody if suppressed is None else suppressed, joined.height)
    return found.alias("kept_out")


def _reasons(joined: pl.DataFrame, rules: Rules) -> Iterator[tuple[pl.Expr, str]]:
    """Conditions in order; the first that holds is the reason."""
    record, campaign, agent = (pl.col(RESULTS + name) for name in ("record_id", "campaign", "agent"))
    pairs = [
        (pl.col(RESULTS + ours), _proof(theirs, rules))
        for ours, theirs in rules.checks
        if RESULTS + ours in joined.columns and CONTACTS + theirs in joined.columns
    ]
    comparable, same = _compared(pairs)
    yield record.is_null(), Held.NO_RECORD_ID.value
    yield pl.col("known").is_null(), Held.UNKNOWN_RECORD.value
    yield pl.col(CONTACTS + "ambiguous").fill_null(False), Held.AMBIGUOUS_RECORD.value
    yield _is_foreign(campaign, rules), Held.UNKNOWN_CAMPAIGN.value
    yield ~comparable, Held.PERSON_UNCHECKED.value
    yield ~same, Held.OTHER_PERSON.value
    yield pl.col(CONTACTS + LACKS_SOURCE).fill_null(False), Held.SOURCE_MISSING.value
    yield agent.eq(DELETED).fill_null(False), Held.AGENT_DELETED.value


def _proof(name: str, rules: Rules) -> pl.Expr:
    """A reference of the contact as proof. As rows were joined on it, the record id proves nothing if there is more."""
    ref = pl.col(CONTACTS + name)
    return pl.when(pl.col(CONTACTS + BY_ID)).then(ref) if _is_id(name, rules) else ref


def _is_id(name: str, rules: Rules) -> bool:
    return name in {f"{start}{rules.record_id}" for start in (REFS, CORRECTED)}


def _value(column: FieldRole, rules: Rules) -> pl.Expr:
    """One column of the return, with cells past their retention left empty."""
    if column.name in rules.kept_from:
        return pl.when(~_is_past(column, rules)).then(_told(column))
    return _told(column)


def _told(column: FieldRole) -> pl.Expr:
    """The cells of a column; agents are named by reference if the role profile is INDEPENDENT."""
    if column.group is FieldGroup.AGENT_REF and column.role_profile is RoleProfile.INDEPENDENT:
        return pl.col("staff.agent_ref")
    return pl.col(str(column.source))


def _is_past(column: FieldRole, rules: Rules) -> pl.Expr:
    return pl.col(RESULTS + "started_at") < pl.lit(rules.kept_from[column.name])


def _withheld(going: pl.DataFrame, rules: Rules) -> dict[str, int]:
    """How many cells were left empty, by column."""
    gone = {
        column.name: int(going.select((_is_past(column, rules) & _told(column).is_not_null()).sum()).item())
        for column in rules.columns
        if column.name in rules.kept_from
    }
    return {name: count for name, count in gone.items() if count}
