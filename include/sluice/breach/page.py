"""Draft notifications in words: to a controller (Art. 33(2)), to our authority (33(3)), to persons (34(2)). Pure.

A draft for one principal is made from its own part alone, so that no principal learns of another. It tells only of data
that the center must report in that role: as controller of what it decides on, as processor of the rest. It holds counts
and categories; what only people know (nature, consequences, measures) is left open in square brackets.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sluice.agreement import dpv
from sluice.agreement.clauses.annexes import Party
from sluice.breach.model import Applies, Counted, Draft, Duty, PrincipalPart, Slice
from sluice.breach.rules import AUTHORITY, PERSONS, is_ours, is_theirs, keep_lines
from sluice.documents.model import Grid, LetterPage, Notice, Pair, Part, Text
from sluice.documents.words import Words, words
from sluice.times import utc_text

SHOWN = 8
NOTHING = "\N{EN DASH}"
EMPLOYEE = dpv.DPV + "Employee"
DUTY_WIDTHS = (1.0, 1.2, 0.5, 1.8)


def drafts_of(found: Slice) -> Iterator[tuple[Draft, PrincipalPart | None]]:
    """The drafts that our own duties need, each with the part of the principal it is for.

    These are a letter to each controller, one form for the authority, a text for customers per principal, and a text
    for our staff; those for authority and staff have None for the part.
    """
    by_principal = {part.principal: part for part in found.parts}
    for duty in found.duties:
        if duty.by != found.center.code or duty.applies is Applies.NO:
            continue
        if duty.to == AUTHORITY:
            yield Draft.AUTHORITY, None
        elif duty.to == PERSONS:
            own = {name: keep_lines(by_principal[name], is_ours) for name in duty.about}
            yield from ((Draft.PERSONS, by_principal[name]) for name, part in own.items() if part.has_customers)
            if any(part.has_staff for part in own.values()):
                yield Draft.PERSONS, None
        else:
            yield Draft.CONTROLLER, by_principal[duty.to]


def make_draft(found: Slice, draft: Draft, part: PrincipalPart | None, language: str) -> LetterPage:
    """Make one draft, complete but for what only people know.

    ``part``: the principal it is about; None for a draft about all, to the authority or our own staff.
    """
    say, own = words(language), _told(found, draft, part)
    number = number_of(found, part)
    title = say.say(f"breach.title.{draft}")
    about = _whom(say, draft, part)
    return LetterPage(
        case=number,
        lang=say.language,
        region=say.locale.territory or "",
        title=title,
        subject=f"{title} {number}",
        sender=tuple(line for line in (found.center.name, found.center.address, found.center.email) if line),
        references=tuple(_references(say, found, draft, part, about, number)),
        greeting=say.say("letter.greeting"),
        opening=(say.say(f"breach.opening.{draft}", principal=_name(part)),),
        notices=(Notice("warning", say.say("breach.draft"), (say.say("breach.draft.text"),)),),
        parts=tuple(_sections(say, found, draft, own)),
        closing=say.say("letter.closing"),
        signature=say.say("letter.signature", sender=found.center.name),
        footer=say.say("breach.page", number=number, page="@page", pages="@pages"),
    )


def _told(found: Slice, draft: Draft, part: PrincipalPart | None) -> list[PrincipalPart]:
    """The parts that a draft tells of, reduced to its data.

    A controller is told of its data. The authority, customers and staff are told of data we are controller of;
    customers and staff each of their own.
    """
    if draft is Draft.CONTROLLER and part:
        return [keep_lines(part, is_theirs)]
    own = [keep_lines(each, is_ours) for each in ([part] if part else found.parts)]
    if draft is Draft.PERSONS:
        own = [keep_lines(each, lambda line: line.is_staff is (part is None)) for each in own]
    return [each for each in own if each.lines]


@dataclass(frozen=True, slots=True)
class Summary:
    """A slice in words: the facts per principal, and everybody who has to be told."""

    scope: str
    parts: tuple[tuple[str, tuple[Pair, ...]], ...]
    duties: Part


def summary_of(found: Slice, language: str) -> Summary:
    """A slice as our own page shows it: in full, since we may see all of it."""
    say = words(language)
    parts = tuple((_name(part), tuple(_facts(say, [part]))) for part in found.parts)
    return Summary(_scope(say, found), parts, _duties(say, found, found.parts))


def number_of(found: Slice, part: PrincipalPart | None) -> str:
    """The number of a draft: the moment of awareness and its owner's code; it reveals nothing about the breach."""
    moment = found.aware_at.strftime("%Y%m%d-%H%M")
    return f"breach-{moment}-{part.principal if part else found.center.code}"


def _whom(say: Words, draft: Draft, part: PrincipalPart | None) -> str:
    if draft is Draft.AUTHORITY:
        return say.say("breach.party.authority")
    return _name(part) if draft is Draft.CONTROLLER else say.say(f"breach.party.{'persons' if part else 'staff'}")


def _name(part: PrincipalPart | None) -> str:
    if part is None:
        return ""
    return part.known.agreement.principal_name if part.known else part.principal


def _references(
    say: Words, found: Slice, draft: Draft, part: PrincipalPart | None, about: str, number: str
) -> Iterator[Pair]:
    yield Pair(say.say("breach.number"), Text(number, is_code=True))
    yield Pair(say.say("breach.to"), Text(about))
    if draft is Draft.CONTROLLER and part and part.known:
        controller = part.known.annexes.controllers[0]
        contact = ", ".join(line for line in (controller.email, controller.dpo_email) if line)
        yield Pair("", Text(contact))
        papers = (f"{each.agreement.agreement_id} {each.agreement.version}" for each in part.papers)
        yield Pair(say.say("breach.agreement"), Text(", ".join(dict.fromkeys(papers)), is_code=True))
    yield Pair(say.say("breach.aware"), Text(say.moment(utc_text(found.aware_at))))


def _sections(say: Words, found: Slice, draft: Draft, parts: Sequence[PrincipalPart]) -> Iterator[Part]:
    fill = Text(say.say("breach.what.fill"))
    scope = () if draft is Draft.PERSONS else (Text(_scope(say, found)),)
    yield Part(say.say("breach.what.heading"), (*scope, fill))
    facts = _plain(say, parts) if draft is Draft.PERSONS else _facts(say, parts)
    beside = _as_processor(say, found) if draft is Draft.AUTHORITY else ()
    yield Part(say.say("breach.who.heading"), beside, facts=tuple(facts))
    if draft is not Draft.PERSONS:
        yield _duties(say, found, parts)
    missed = _missed(found) if draft is Draft.AUTHORITY else None
    if missed:
        text = say.say("breach.delay.fill", moment=say.moment(utc_text(missed)))
        yield Part(say.say("breach.delay.heading"), (Text(text),))
    for name in ("consequences", "measures"):
        yield Part(say.say(f"breach.{name}.heading"), (Text(say.say(f"breach.{name}.fill")),))
    contact = Pair(say.say("breach.contact"), Text(_dpo(found.center) or say.say("breach.contact.fill")))
    yield Part(say.say("breach.contact.heading"), facts=(contact,))


def _as_processor(say: Words, found: Slice) -> tuple[Text, ...]:
    """A sentence on data that the form leaves out because we are only processor, naming the principals we tell."""
    names = [_name(part) for part in found.parts if not all(map(is_ours, part.lines))]
    return (Text(say.say("breach.processor", names=_listed(names))),) if names else ()


def _missed(found: Slice) -> datetime | None:
    """When our authority should have been told, if that has passed: the form then asks for the reasons (Art. 33(1))."""
    own = (duty.due_at for duty in found.duties if (duty.by, duty.to) == (found.center.code, AUTHORITY))
    return next((due for due in own if due is not None and due < found.made_at), None)


def _scope(say: Words, found: Slice) -> str:
    scope = found.scope
    times = {name: say.moment(utc_text(at)) for name, at in (("since", scope.since), ("until", scope.until)) if at}
    return say.say(f"breach.scope.{scope.kind}", **times)


def _plain(say: Words, parts: Sequence[PrincipalPart]) -> Iterator[Pair]:
    """What affected persons read: the categories of data, but not how many others are affected."""
    yield Pair(say.say("breach.categories"), Text(_names(say, parts, special=False)))
    if any(part.special for part in parts):
        yield Pair(say.say("breach.special"), Text(_names(say, parts, special=True)))


def _facts(say: Words, parts: Sequence[PrincipalPart]) -> Iterator[Pair]:
    customers, has_staff = [part for part in parts if part.has_customers], any(part.has_staff for part in parts)
    exchanges = [each for part in parts for each in part.exchanges]
    subjects = {iri for part in customers for each in part.papers for iri in each.annexes.subject_categories}
    subjects |= {EMPLOYEE} if has_staff else set()
    if customers:
        yield Pair(say.say("breach.persons"), Text(_persons(say, _added(customers))))
    if has_staff:
        yield Pair(say.say("breach.staff"), Text(say.say("breach.staff.fill")))
    yield Pair(say.say("breach.subjects"), Text(_terms(say, "subject", subjects)))
    yield Pair(say.say("breach.rows"), Text(_rows(say, parts)))
    yield Pair(say.say("breach.categories"), Text(_names(say, parts, special=False)))
    yield Pair(say.say("breach.special"), Text(_names(say, parts, special=True)))
    yield Pair(say.say("breach.recipients"), Text(_listed({name for part in parts for name in part.recipients})))
    yield Pair(say.say("breach.countries"), Text(_listed({name for part in parts for name in part.countries})))
    shown, more = ", ".join(exchanges[:SHOWN]), len(exchanges) - SHOWN
    text = say.say("breach.more", names=shown, count=say.number(more)) if more > 0 else shown
    yield Pair(say.say("breach.exchanges"), Text(text, is_code=True))


def _added(parts: Sequence[PrincipalPart]) -> Counted:
    most = [part.counted.at_most for part in parts]
    return Counted(
        sum(part.counted.persons for part in parts),
        sum(part.counted.rows for part in parts),
        sum(part.counted.nameless for part in parts),
        tuple(each for part in parts for each in part.counted.unread),
        None if None in most else sum(count for count in most if count is not None),
        sum(part.counted.removed for part in parts),
    )


def _persons(say: Words, counted: Counted) -> str:
    count = say.number(counted.persons)
    if not counted.unread and not counted.removed:
        return count
    if counted.at_most is None:
        return say.say("breach.persons.unknown", count=count)
    word = "unread" if not counted.removed else "both" if counted.unread else "removed"
    return say.say(f"breach.persons.{word}", count=count, more=say.number(counted.at_most))


def _rows(say: Words, parts: Sequence[PrincipalPart]) -> str:
    """How many rows were read; how many of them name nobody is added only for customers, who are counted by name."""
    counted, nameless = _added(parts), sum(part.counted.nameless for part in parts if part.has_customers)
    count = say.number(counted.rows)
    if nameless:
        count = say.say("breach.rows.nameless", count=count, more=say.number(nameless))
    if counted.removed:
        count = say.count("breach.rows.removed", counted.removed, count=count, more=say.number(counted.removed))
    return say.say("breach.rows.unread", count=count) if counted.unread else count


def _names(say: Words, parts: Sequence[PrincipalPart], *, special: bool) -> str:
    return _terms(say, "category", {iri for part in parts for iri in (part.special if special else part.categories)})


def _terms(say: Words, kind: str, iris: set[str]) -> str:
    return _listed(_term(say, kind, dpv.short(iri)) for iri in iris)


def _term(say: Words, kind: str, name: str) -> str:
    """The words for a category or a kind of persons; a class found in notes has the words of the screen."""
    return say.find(f"register.{kind}.{name}", f"{kind}.{name}", f"screen.{name}", f"breach.special.{name}") or name


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names))) or NOTHING


def _duties(say: Words, found: Slice, parts: Sequence[PrincipalPart]) -> Part:
    """The table of duties that concern these principals only."""
    own = {part.principal for part in parts}
    names = {part.principal: _name(part) for part in parts} | {found.center.code: found.center.name}
    rows = tuple(
        tuple(
            Text(text)
            for text in (
                _party(say, names, duty.by), _party(say, names, duty.to), duty.article, due_text(say, names, duty),
            )
        )
        for duty in found.duties
        if set(duty.about) & own and {duty.by, duty.to} <= {*names, AUTHORITY, PERSONS}
    )  # fmt: skip
    head = tuple(say.say(f"breach.duties.{name}") for name in ("by", "to", "article", "due"))
    return Part(say.say("breach.duties.heading"), table=Grid(head, rows, DUTY_WIDTHS))


def _party(say: Words, names: dict[str, str], code: str) -> str:
    return names.get(code) or say.say(f"breach.party.{code}")


def due_text(say: Words, names: dict[str, str], duty: Duty) -> str:
    """When a duty is due, and whether it applies, as far as the risk was decided."""
    if duty.due_at is not None:
        due = say.say("breach.due.at", moment=say.moment(utc_text(duty.due_at)))
    elif duty.within_hours is not None:
        due = say.say("breach.due.within", hours=duty.within_hours, by=_party(say, names, duty.by))
    else:
        due = say.say("breach.due.now")
    if duty.applies is Applies.YES:
        return due
    return say.say(f"breach.applies.{duty.applies}", due=due)


def _dpo(party: Party) -> str:
    return ", ".join(part for part in (party.dpo_name, party.dpo_email, party.dpo_phone) if part)
