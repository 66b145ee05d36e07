"""The receipt as a page of data: final text and numbers in three languages, without layout. Pure."""

from collections.abc import Iterable, Sequence

from sluice.documents.model import Annex, Grid, Page, Pair, Part, ReasonGroup, Section, Text, VerdictPanel
from sluice.documents.reasons import NOTED, Explained, explain, meaning_of
from sluice.documents.returned import (
    column_roles,
    contacts_on,
    held_back,
    inputs,
    notices,
    screened,
    told_as,
    withheld,
)
from sluice.documents.special import which_special
from sluice.documents.words import LANGUAGES, Words, words
from sluice.ledger.copy_kinds import DIAL_KEPT, FINDINGS, RETURN
from sluice.ledger.model import Entry
from sluice.ledger.record import CopyLine, ExchangeRecord, PurposeLine, ReasonLine, read_end
from sluice.terms import Decision, Direction

LINES_PER_SECTION = 12
"""The most reasons shown in each language; if there are more, all of them are listed once in the annex."""

REASON_WIDTHS = (2.2, 1.7, 0.8, 2.3)
NOTHING = Text("\N{EN DASH}")


def make_page(record: ExchangeRecord, entry: Entry, key_id: str, language: str) -> Page:
    """The page of one record. The section in ``language`` (nl, fr or en; nl for any other) comes first."""
    first = language if language in LANGUAGES else LANGUAGES[0]
    order = [first, *(other for other in LANGUAGES if other != first)]
    reasons = sorted(record.reasons, key=lambda line: (line.severity != "error", -line.count))
    sections = tuple(_section(record, entry, key_id, words(one), order, reasons) for one in order)
    speaker = words(first)
    return Page(
        exchange=record.exchange_id,
        lang=first,
        region=sections[0].region,
        title=f"{sections[0].title} {record.exchange_id}",
        subject=f"{sections[0].subtitle}: {sections[0].verdict.word}",
        keywords=(record.exchange_id, record.who.principal, record.flow, record.decision.value),
        sections=sections,
        annex=_annex(speaker, record, reasons) if len(reasons) > LINES_PER_SECTION else None,
    )


def _section(
    record: ExchangeRecord, entry: Entry, key_id: str, say: Words, order: Sequence[str], reasons: Sequence[ReasonLine]
) -> Section:
    others = [say.say(f"language.{other}") for other in order if other != say.language]
    parts = [
        _reasons(say, record, reasons) if reasons else None,
        held_back(say, record),
        withheld(say, record),
        _why(say, record),
        _who(say, record),
        column_roles(say, record),
        screened(say, record),
        _how_long(say, record),
        inputs(say, record),
        _file(say, record),
        _verify(say, record, entry, key_id),
    ]
    return Section(
        lang=say.language,
        region=say.locale.territory or "",
        title=say.told(told_as(record), "receipt.title"),
        subtitle=say.say(f"direction.{told_as(record)}", principal=record.who.principal) + f" · {record.flow}",
        times=_times(say, record),
        also=say.say("receipt.other_languages", languages=say.listed(others)) if say.language == order[0] else None,
        verdict=_verdict(say, record),
        notices=tuple(notices(say, record)),
        counts=_counts(say, record),
        accepted=record.what.rows_accepted,
        held=held_rows(record),
        refused=record.what.rows_refused,
        parts=tuple(part for part in parts if part),
        footer=_footer(say, record),
    )


def _footer(say: Words, record: ExchangeRecord) -> str:
    return say.say("receipt.page", exchange=record.exchange_id, page="@page", pages="@pages")


def _times(say: Words, record: ExchangeRecord) -> str:
    moments = {"opened": say.moment(record.opened_at), "closed": say.moment(record.closed_at)}
    said, day = say.told(told_as(record), "receipt.times", **moments), contacts_on(record)
    return f"{say.say('receipt.day', day=say.day(day))} {said}" if day else said


def _verdict(say: Words, record: ExchangeRecord) -> VerdictPanel:
    what, decision, way = record.what, record.decision, told_as(record)
    also = []
    if decision is Decision.ACCEPTED and record.reasons:
        also.append(say.told(way, "verdict.accepted.noted" if is_noted(say, record) else "verdict.accepted.warned"))
    if held_rows(record) and what.rows_refused and record.direction is not Direction.OUTBOUND_RETURN:
        also.append(say.count("verdict.also_held", held_rows(record), held=say.number(held_rows(record))))
    if decision is Decision.REFUSED and not what.rows_in:
        also.append(say.told(way, "count.unread"))
    word = say.told(way, f"verdict.{decision}.word")
    return VerdictPanel(decision.value, word, (_decided(say, record), *also))


def _decided(say: Words, record: ExchangeRecord) -> str:
    what, decision, way = record.what, record.decision, told_as(record)
    if decision is Decision.ACCEPTED and what.rows_in:
        return say.told_count(way, "verdict.accepted.sentence", what.rows_in, rows=say.number(what.rows_in))
    if decision is Decision.ACCEPTED:
        return say.told(way, "verdict.accepted.empty")
    name = "held" if decision is Decision.PARTLY_ACCEPTED and not what.rows_refused else "sentence"
    if decision is Decision.REFUSED and is_noted(say, record):
        name = "noted"
    numbers = {
        "rows": what.rows_in,
        "accepted": what.rows_accepted,
        "refused": what.rows_refused,
        "held": held_rows(record),
    }
    return say.told(way, f"verdict.{decision}.{name}", **{part: say.number(count) for part, count in numbers.items()})


def is_noted(say: Words, record: ExchangeRecord) -> bool:
    """Whether an inbound file has reasons, but none that its sender has to correct."""
    codes = [meaning_of(say, line.code) for line in record.reasons]
    return record.direction is Direction.INBOUND and bool(codes) and set(codes) <= NOTED


def held_rows(record: ExchangeRecord) -> int:
    """How many rows were kept back for a reason that may pass."""
    return record.what.rows_held or sum(record.right_treatment.held_back.values())


def _counts(say: Words, record: ExchangeRecord) -> tuple[Pair, ...]:
    what, held = record.what, held_rows(record)
    if not what.rows_in:
        return ()
    numbers = {"rows": what.rows_in, "accepted": what.rows_accepted, "refused": what.rows_refused}
    if held:
        numbers["held"] = held
    way = told_as(record)
    return tuple(Pair(say.told(way, f"count.{name}"), Text(say.number(number))) for name, number in numbers.items())


def _reason_head(say: Words) -> tuple[str, ...]:
    code = f"{say.say('reasons.code')} / {say.say('reasons.rule').lower()}"
    return (code, *(say.say(f"reasons.{name}") for name in ("column", "count", "numbers")))


def _reason_row(say: Words, line: ReasonLine) -> tuple[Text, ...]:
    numbers = ", ".join(map(str, line.rows)) + (
        "\N{NO-BREAK SPACE}…" if line.rows and line.count > len(line.rows) else ""
    )
    warning = f" ({say.say('reasons.warning')})" if line.severity != "error" else ""
    return (
        Text(line.code, is_code=True, below=f"{line.rule}{warning}"),
        Text(line.column, is_code=True) if line.column else NOTHING,
        Text(say.number(line.count)),
        Text(numbers or say.say("reasons.whole_file")),
    )


def _reasons(say: Words, record: ExchangeRecord, reasons: Sequence[ReasonLine]) -> Part:
    shown, more = reasons[:LINES_PER_SECTION], len(reasons) - LINES_PER_SECTION
    after = [say.count("reasons.more", more, count=say.number(more))] if more > 0 else []
    if any(copy.kind == FINDINGS for copy in record.how_long.copies):
        after.append(say.say("reasons.findings", exchange=record.exchange_id))
    numbered, way = any(line.rows for line in reasons), told_as(record)
    return Part(
        heading=say.told(way, "reasons.heading.noted" if is_noted(say, record) else "reasons.heading"),
        paragraphs=(Text(say.told(way, "reasons.rows")),) if numbered else (),
        head=_reason_head(say),
        groups=tuple(_groups(say, record.direction, shown)),
        after=tuple(after),
    )


def _groups(say: Words, way: Direction, reasons: Iterable[ReasonLine]) -> Iterable[ReasonGroup]:
    """Reasons grouped by meaning, in order of first appearance."""
    by_meaning: dict[Explained, list[ReasonLine]] = {}
    for line in reasons:
        by_meaning.setdefault(explain(say, way, line.code), []).append(line)
    for told, lines in by_meaning.items():
        yield ReasonGroup(
            word=told.word,
            meaning=told.meaning,
            to_do=say.say("reasons.cure") + say.say("pages.colon"),
            cure=told.cure,
            rows=tuple(_reason_row(say, line) for line in lines),
        )


def _annex(say: Words, record: ExchangeRecord, reasons: Sequence[ReasonLine]) -> Annex:
    return Annex(
        lang=say.language,
        region=say.locale.territory or "",
        title=say.say("annex.heading"),
        table=Grid(_reason_head(say), tuple(_reason_row(say, line) for line in reasons), REASON_WIDTHS),
        footer=_footer(say, record),
    )


def _why(say: Words, record: ExchangeRecord) -> Part:
    why, heading = record.why, say.say("why.heading")
    paper = {"agreement": why.agreement_id, "version": why.agreement_version}
    if why.agreement_id is None and not why.purposes:
        return Part(heading, (Text(say.say("why.no_agreement")),))
    if not why.purposes:
        return Part(heading, (Text(say.say("why.no_purpose", **paper)),))
    several = ".several" if len(why.purposes) > 1 else ""
    under = (Text(say.say(f"why.agreement{several}", **paper)),) if why.agreement_id else ()
    return Part(heading, under, facts=tuple(_purpose(say, purpose) for purpose in why.purposes))


def _purpose(say: Words, purpose: PurposeLine) -> Pair:
    basis = purpose.legal_basis.rpartition("#")[2]
    holder = party(say, purpose.basis_holder)
    sentence = say.say("why.basis", basis=say.find(f"basis.{basis}") or basis, holder=holder)
    text = purpose.text.get(say.language) or next(iter(purpose.text.values()), purpose.code)
    return Pair(purpose.code, Text(f"{text} {sentence}"))


def _who(say: Words, record: ExchangeRecord) -> Part:
    who = record.who
    groups: dict[str, list[str]] = {}
    for role in who.roles:
        groups.setdefault(role.role_profile, []).append(say.find(f"group.{role.field_group}") or role.field_group)
    sentences = [_profile(say, profile, who.principal, names) for profile, names in groups.items()]
    lists = {"recipients": who.recipients, "sub_processors": who.sub_processors, "countries": who.countries}
    return Part(
        say.say("who.heading"),
        tuple(sentences) or (Text(say.say("who.none")),),
        facts=tuple(Pair(say.say(f"who.{name}"), _parties(say, members)) for name, members in lists.items()),
    )


def _profile(say: Words, profile: str, principal: str, groups: Sequence[str]) -> Text:
    sentence = say.say(f"profile.{profile}", principal=principal)
    return Text(f"{sentence} {say.say('who.groups', groups=say.listed(groups))}")


def _parties(say: Words, codes: Sequence[str]) -> Text:
    return Text(", ".join(party(say, code) for code in codes) or say.say("word.none"))


def party(say: Words, code: str) -> str:
    return say.find(f"party.{code}") or code


def _how_long(say: Words, record: ExchangeRecord) -> Part | None:
    """The part about retention; None for an answer handed to a controller without copies in its record.

    The reader of such a receipt is the next controller, for whom our copies are not kept.
    """
    is_handed = record.direction is Direction.PORTABILITY_ACCESS and record.decision is not Decision.REFUSED
    if is_handed and not record.how_long.copies:
        return None
    end = contract_end(say, record)
    after = (end,) if end else ()
    copies = record.how_long.copies
    if not copies:
        return Part(say.say("keep.heading"), (Text(say.say("keep.no_copies")),), after=after)
    head = tuple(say.say(f"keep.{name}") for name in ("copy", "last_day", "rule"))
    table = Grid(head, tuple(_copy(say, copy) for copy in copies), (1.7, 1.0, 0.9))
    return Part(say.say("keep.heading"), table=table, after=after)


def contract_end(say: Words, record: ExchangeRecord) -> str | None:
    """What happens when the contract ends, in a sentence; None if no agreement says so."""
    end = read_end(record.how_long.at_contract_end or "")
    return say.say(f"keep.end.{end[0]}", days=end[1]) if end else None


def _copy(say: Words, copy: CopyLine) -> tuple[Text, ...]:
    last_day = say.day(copy.delete_after) if copy.delete_after else say.say("keep.no_date")
    rule = say.find(f"rule.{copy.retention_rule}") or copy.retention_rule or NOTHING.words
    return (Text(say.find(f"copy.{copy.kind}") or copy.kind), Text(last_day), Text(rule))


def is_made(record: ExchangeRecord) -> bool:
    """Whether the file of an exchange was made here, so that nothing arrived."""
    made = (Direction.OUTBOUND_RETURN, Direction.PORTABILITY_ACCESS)
    return record.direction in made or record.is_dial_list


def _file(say: Words, record: ExchangeRecord) -> Part:
    what, how, way = record.what, record.how, told_as(record)
    is_handed = record.direction is Direction.PORTABILITY_ACCESS
    made = is_made(record)
    sent = next((copy.sha256 for copy in record.how_long.copies if copy.kind in (RETURN, DIAL_KEPT)), None)
    size = say.count("file.bytes", what.size_bytes, bytes=say.number(what.size_bytes))
    rules = rule_counts(say, record)
    is_there = bool(sent) or not made or (is_handed and bool(what.sha256))
    values = {
        "place": Text(f"{what.bucket}/{what.key}", is_code=True) if is_there else None,
        "version": None if made else Text(what.version_id, is_code=True),
        "sha256": Text(what.sha256, is_code=True) if what.sha256 else Text(say.told(way, "file.unread")),
        "sealed": Text(sent, is_code=True) if sent and sent != what.sha256 else None,
        "size": Text(size + (f", {what.format}" if what.format else "")) if is_there else None,
        "contract": _contract(say, record),
        "columns": Text(say.number(len(what.columns))) if what.columns else None,
        **_subjects(say, record),
        "suites": Text(", ".join(sorted(how.suites))) if how.suites else None,
        "rules": Text(rules) if rules else None,
    }
    return Part(
        say.say("file.heading"),
        facts=tuple(Pair(say.told(way, f"file.{name}"), value) for name, value in values.items() if value),
    )


def _subjects(say: Words, record: ExchangeRecord) -> dict[str, Text]:
    """Whom a file is about, and whether it has special categories; empty if it was not read."""
    what = record.what
    if what.distinct_subjects is None:
        return {}
    special = which_special(say, record) if what.special_categories else say.say("file.special.none")
    return {"persons": Text(say.number(what.distinct_subjects)), "special": Text(special)}


def _contract(say: Words, record: ExchangeRecord) -> Text | None:
    how = record.how
    if how.contract_id is None:
        return None
    return Text(say.say("file.contract.value", contract=how.contract_id, version=how.contract_version))


def rule_counts(say: Words, record: ExchangeRecord) -> str | None:
    """How many rules passed, warned, failed and were undecided, in words; None if none was checked."""
    counts = record.how.gate_counts
    if not any(counts.values()):
        return None
    names = ("passed", "warned", "refused", "undecided")
    return say.say("file.rules.value", **{name: say.number(counts.get(name.upper(), 0)) for name in names})


def _verify(say: Words, record: ExchangeRecord, entry: Entry, key_id: str) -> Part:
    command = f"sluice receipt verify {record.exchange_id}.json --key receipt-key.pem"
    place = say.say("verify.entry.value", chain=entry.chain, seq=entry.seq)
    return Part(
        say.say("verify.heading"),
        (Text(say.say("verify.text")), Text(command, is_code=True), Text(say.say("verify.standard"))),
        facts=(
            Pair(say.say("verify.key"), Text(key_id, is_code=True)),
            Pair(say.say("verify.entry"), Text(place)),
            Pair(say.say("verify.entry_hash"), Text(entry.hash.hex(), is_code=True)),
        ),
    )
