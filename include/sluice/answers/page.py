"""The answer as a letter that a layman reads: what there is, why, from whom, for how long, and what is left out.

It names the case, never the person, like every letter; but it quotes their data. Pure.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from sluice.agreement import dpv
from sluice.agreement.contract.eligibility import NotPortable
from sluice.answers.consents import TABLE
from sluice.answers.facts import Facts
from sluice.answers.info import Information, Transfer
from sluice.answers.labels import category_of, group_name, label_of
from sluice.answers.model import FORWARDED, NOT_HERE, WAITING, AnswerKind, FieldLine, Found, Why
from sluice.answers.select import COMPANY, DATASET, META
from sluice.documents.model import Grid, LetterPage, Pair, Part, Text
from sluice.documents.words import Words, words
from sluice.rights.case.clock import received_on
from sluice.rights.case.facts import consent_days
from sluice.rights.case.reasons import REMEDIES
from sluice.rights.letters.sheet import Body, set_out
from sluice.subject.consent import ConsentState

MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.][0-9]+)?Z")
MOST_VALUES, LONGEST = 6, 600
"""Most values shown of a column, and most characters of one; the files have all of it."""
TWO, THREE, FIVE = (1.0, 2.3), (1.0, 1.6, 1.6), (1.3, 1.9, 0.9, 0.9, 0.8)
CODES = frozenset({*NotPortable, FORWARDED, WAITING, NOT_HERE})
"""Our own reasons, which have a sentence each; all others are IRIs."""


def make_answer_page(facts: Facts) -> LetterPage:
    """Make the page of an answer, every word finished."""
    say, kind = words(facts.language), facts.kind.value
    given = any(table.height for table in facts.selected.tables.values())
    opening = "opening" if given or facts.kind is not AnswerKind.ACCESS else _without(facts)
    first = [say.say(f"answer.{kind}.{opening}")]
    if given:
        first += [
            say.say("answer.files"),
            *([say.say("answer.agents")] if "agent_ref" in facts.selected.tables else []),
        ]
    title = say.say(f"answer.{kind}.title", sender=facts.sender.name)
    body = Body(title, tuple(first), parts=tuple(_parts(say, facts)))
    return set_out(say, facts.case, received_on(facts.made_at), facts.sender, body)


def _without(facts: Facts) -> str:
    """Tell how an answer begins that gives nothing: nothing is there, or only a code, or it may not be given now."""
    return "found" if facts.is_found else "kept_out" if facts.kept_out else "nothing"


def _parts(say: Words, facts: Facts) -> Iterator[Part]:
    informed = {each.principal: each for each in facts.information}
    for found in facts.found:
        yield from _data(say, facts, found.company)
        yield from _consents(say, facts, found)
        if facts.kind is AnswerKind.ACCESS and found.principal in informed:
            yield _about(say, informed[found.principal])
        yield from _refused(say, facts, found)
    yield from _others(say, facts)
    yield from _withheld(say, facts)
    if facts.kind is AnswerKind.ACCESS:
        yield from _kept_out(say, facts)
        yield _searched(say, facts)
        yield Part(say.say("answer.rights.heading"), (Text(say.say("answer.rights.text")),))
    yield from _remedies(say, facts)
    contact = facts.sender.contact
    reach = say.say("letter.questions.contact", contact=contact) if contact else say.say("letter.questions.same_way")
    yield Part(say.say("letter.questions.heading"), (Text(reach), Text(say.say("answer.questions.number"))))


def _data(say: Words, facts: Facts, company: str) -> Iterator[Part]:
    """Yield a table of what there is, per kind of data: every column with its values, each shown once."""
    for group, table in facts.selected.tables.items():
        mine = table.filter(pl.col(COMPANY) == company) if group != TABLE else table.clear()
        rows = tuple(
            _values(say, facts, mine, name) for name in mine.columns if name not in META and _is_there(mine[name])
        )
        if rows:
            heading = say.say("answer.data.heading", company=company, group=_inside(group_name(say, group)))
            head = (say.say("letter.data"), say.say("answer.data.says"))
            yield Part(heading, table=Grid(head, _merged(say, rows), TWO))


def _consents(say: Words, facts: Facts, found: Found) -> Iterator[Part]:
    """Yield a line for each record of consent: for what, what the person said and when, how it was written down."""
    table = facts.selected.tables.get(TABLE)
    rows = [] if table is None else table.filter(pl.col(COMPANY) == found.company).to_dicts()
    if rows:
        papers = [*found.papers.values(), *([found.agreement] if found.agreement else [])]
        purposes = {each.iri: _in_language(say, each.text) for paper in papers for each in paper.purposes}
        heading = say.say("answer.data.heading", company=found.company, group=_inside(group_name(say, TABLE)))
        head = tuple(say.say(f"answer.consent.{name}") for name in ("for", "said", "how"))
        cells = tuple(tuple(map(Text, _consent(say, row, purposes))) for row in rows)
        days = consent_days(received_on(facts.made_at))
        kept = (Text(say.say("answer.consent.kept", days=say.number(days))),)
        yield Part(heading, kept, table=Grid(head, cells, THREE))


def _consent(say: Words, row: Mapping[str, str], purposes: Mapping[str, str]) -> Iterator[str]:
    channel = say.find(f"letter.channel.{row['channel']}") or row["channel"]
    yield f"{purposes.get(row['purpose']) or dpv.short(row['purpose'])} ({channel})"
    until = row["until"] if row["state"] == ConsentState.GIVEN else None
    said = say.say(f"answer.consent.{row['state']}", moment=say.moment(row["at"]))
    yield say.say("answer.consent.until", said=said, day=say.day(until)) if until else said
    yield say.say("answer.consent.way", method=row["method"], notice=row["notice"], by=row["collected_by"])


def _is_there(cells: pl.Series) -> bool:
    return cells.null_count() < len(cells)


def _values(say: Words, facts: Facts, table: pl.DataFrame, name: str) -> tuple[str, tuple[str, ...]]:
    there = table.filter(table[name].is_not_null())
    datasets = there[DATASET].unique(maintain_order=True).to_list() if DATASET in there.columns else []
    roles = facts.selected.roles
    named = [roles.get((each, name)) for each in datasets] or [
        role for (_, known), role in roles.items() if known == name
    ]
    role = next((each for each in named if each is not None), None)
    values = (_spoken(say, value) for value in table[name].drop_nulls())
    return label_of(say, name, role), tuple(dict.fromkeys(values))


def _spoken(say: Words, value: str) -> str:
    """Return a moment in UTC as the clock in Brussels showed it, and everything else as it is."""
    return say.moment(value) if MOMENT.fullmatch(value) else value


def _merged(say: Words, rows: Sequence[tuple[str, tuple[str, ...]]]) -> tuple[tuple[Text, ...], ...]:
    """Merge columns with the same label into one line."""
    found: dict[str, dict[str, None]] = {}
    for label, values in rows:
        found.setdefault(label, {}).update(dict.fromkeys(values))
    return tuple((Text(label), Text(_shown(say, list(values)))) for label, values in found.items())


def _shown(say: Words, values: Sequence[str]) -> str:
    end, more = say.say("answer.data.cut"), len(values) - MOST_VALUES
    cut = [value if len(value) <= LONGEST else f"{value[:LONGEST]}{end}" for value in values[:MOST_VALUES]]
    if more > 0:
        cut.append(say.count("answer.data.more", more, count=say.number(more)))
    return "; ".join(cut)


def _about(say: Words, info: Information) -> Part:
    """Say what Art. 15(1)(a)-(d), (g), (h) and (2) ask, a line each, also when there is none."""
    transfers = [_transfer(say, each) for each in info.transfers]
    facts = {
        "purposes": [_purpose(say, purpose.text, purpose.legal_basis) for purpose in info.purposes],
        "categories": [say.listed(dict.fromkeys(category_of(say, iri) for iri in info.categories))],
        "sources": [say.say(f"answer.source.{source}", company=info.company) for source in info.sources],
        "recipients": list(_recipients(say, info)),
        "processors": [", ".join(info.processors) or say.say("answer.none.processors")],
        "kept": list(_kept(say, info)),
        "countries": [", ".join(_country(say, code) for code in info.countries)],
        "transfers": [", ".join(transfers) or say.say("answer.none.transfers")],
        "derived": [_derived(say, info)],
        "suppressed": [", ".join(say.say(f"answer.suppressed.{reason}") for reason in info.suppressed)],
    }
    said = {name: _joined([text for text in texts if text]) for name, texts in facts.items()}
    pairs = tuple(Pair(say.say(f"answer.about.{name}"), Text(text)) for name, text in said.items() if text)
    return Part(say.say("answer.about.heading", company=info.company), facts=pairs)


def _recipients(say: Words, info: Information) -> Iterator[str]:
    yield ", ".join(info.recipients) or say.say("answer.none.recipients")
    if info.guessed:
        yield say.say("answer.recipients.guessed", names=", ".join(info.guessed))


def _derived(say: Words, info: Information) -> str:
    if not info.derived:
        return say.say("answer.none.derived")
    return say.say("answer.derived", fields=", ".join(info.derived))


def _joined(texts: Sequence[str]) -> str:
    """Join several facts as sentences."""
    told = [f"{text[:1].upper()}{text[1:]}" for text in texts]
    return "".join(told) if len(told) < 2 else " ".join(text if text.endswith(".") else f"{text}." for text in told)


def _purpose(say: Words, text: Mapping[str, str], basis: str) -> str:
    name = dpv.short(basis)
    return say.say("answer.purpose", text=_in_language(say, text), basis=say.find(f"basis.{name}") or name)


def _in_language(say: Words, text: Mapping[str, str]) -> str:
    return text.get(say.language) or next(iter(text.values()))


def _kept(say: Words, info: Information) -> Iterator[str]:
    for each in info.kept:
        copy = say.find(f"copy.{each.kind}") or each.kind
        if each.last_day is None:
            yield say.say("answer.kept.end", copy=copy, company=info.company)
        else:
            yield say.say("answer.kept.until", copy=copy, day=say.day(each.last_day.isoformat()))
    for choice, days in info.contract_ends:
        yield say.say(f"answer.kept.{choice}", days=days)


def _country(say: Words, code: str) -> str:
    return str(say.locale.territories.get(code, code))


def _transfer(say: Words, each: Transfer) -> str:
    country = _country(say, each.country)
    if each.basis is None:
        return say.say("answer.transfer.none", country=country)
    return say.say(
        "answer.transfer", country=country, basis=say.find(f"transfer.{dpv.short(each.basis)}") or dpv.short(each.basis)
    )


def _refused(say: Words, facts: Facts, found: Found) -> Iterator[Part]:
    """Yield what is not given and not forwarded, with its reason, and the reason's fixed name below."""
    rows: dict[tuple[str, str, str | None], list[str]] = {}
    given = {_named(say, facts, line) for line in facts.selected.fields if line.included}
    for line in facts.left_out:
        named = _named(say, facts, line)
        is_above = line.reason == NOT_HERE and named in given
        if line.principal == found.principal and line.reason != FORWARDED and not is_above:
            key = (group_name(say, line.group), _why(say, facts, found, line), line.iri)
            rows.setdefault(key, []).append(named[-1])
    if rows:
        cells = tuple(
            (Text(f"{group}: {', '.join(dict.fromkeys(labels))}"), Text(why, below=iri or ""))
            for (group, why, iri), labels in rows.items()
        )
        table = Grid((say.say("letter.data"), say.say("answer.refused.why")), cells, (1.0, 1.6))
        yield Part(say.say("answer.refused.heading", company=found.company), table=table)


def _named(say: Words, facts: Facts, line: FieldLine) -> tuple[str, str, str]:
    """Return what a column is to a reader of the page: another file may have the same under another name."""
    return line.principal, line.group, label_of(say, line.name, facts.selected.role_of(line))


def _why(say: Words, facts: Facts, found: Found, line: FieldLine) -> str:
    if line.reason in CODES:
        return say.say(f"answer.reason.{line.reason}", company=found.company)
    name = line.reason.removeprefix("Justification")
    return say.find(f"reason.{facts.case.right}.{name}", f"reason.{name}") or name


def _others(say: Words, facts: Facts) -> Iterator[Part]:
    said = [
        Text(
            say.say("letter.others", company=each.company, day=say.day(each.on.isoformat()))
            + (f" {say.say('answer.forwarded.proof', hash=each.entry_hash[:16])}" if each.entry_hash else "")
        )
        for each in facts.forwarded
    ]
    if said:
        yield Part(say.say("letter.others.heading"), tuple(said))


def _withheld(say: Words, facts: Facts) -> Iterator[Part]:
    counts = facts.selected.withheld
    if counts:
        texts = [_much(say, name, count) for name, count in counts.items()]
        listed = f"{say.listed(texts)}."
        opening = (Text(f"{listed[:1].upper()}{listed[1:]}"), Text(say.say("answer.withheld.reason")))
        head = tuple(say.say(f"answer.withheld.{name}") for name in ("company", "dataset", "what"))
        rows = tuple(
            (Text(each.company), Text(each.dataset, is_code=True), Text(_much(say, each.why, each.count)))
            for each in facts.selected.by_dataset
        )
        after = tuple(say.say(f"answer.withheld.how.{why}") for why in Why if why in counts)
        table = Grid(head, rows, THREE) if rows else None
        yield Part(say.say("answer.withheld.heading"), opening, table=table, after=after)


def _much(say: Words, why: str, count: int) -> str:
    return say.count(f"answer.withheld.{why}", count, count=say.number(count))


def _kept_out(say: Words, facts: Facts) -> Iterator[Part]:
    """Say why the person is kept out, and what is kept about them for that; nothing of it can be given as a copy."""
    if facts.kept_out:
        why = say.listed(say.say(f"answer.suppressed.{reason}") for reason in facts.kept_out)
        texts = (say.say("answer.kept_out.why", reasons=why), say.say("answer.kept_out.code"))
        yield Part(say.say("answer.kept_out.heading"), tuple(map(Text, texts)))


def _searched(say: Words, facts: Facts) -> Part:
    names = ("company", "store", "copies", "hits", "rows")
    rows = tuple(
        (
            Text(facts.companies.get(count.principal, "\N{EN DASH}")),
            Text(say.find(f"answer.store.{count.store}") or count.store),
            *(Text(say.number(number)) for number in (count.copies, count.hits, count.rows)),
        )
        for count in facts.stores
    )
    head = tuple(say.say(f"answer.searched.{name}") for name in names)
    searched, text = len(facts.case.searched), say.say("answer.searched.text")
    if not facts.is_found:
        text = say.count("letter.nobody", searched, count=say.number(searched))
    after = (say.say("letter.staff"), say.say("letter.remains.request"))
    return Part(say.say("answer.searched.heading"), (Text(text),), table=Grid(head, rows, FIVE), after=after)


def _remedies(say: Words, facts: Facts) -> Iterator[Part]:
    ref = REMEDIES.get(facts.case.country)
    if ref is not None:
        ways = (say.say(f"{ref}.{way}") for way in ("again", "complaint", "court"))
        yield Part(say.say(f"{ref}.heading"), tuple(map(Text, ways)))


def _inside(label: str) -> str:
    return label[:1].lower() + label[1:]
