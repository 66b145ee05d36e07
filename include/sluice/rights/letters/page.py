"""Put a letter into words: title, paragraphs and tables in the person's language, ready to be set. Pure.

The texts, including law and remedies, come from the catalogues of the documents room; this module only picks those
that a case needs. A letter to somebody who is not proven to be the person names no company and no kind of data:
whoever asks must not learn who knows the person.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from sluice.documents.model import Grid, LetterPage, Notice, Part, Text
from sluice.documents.words import Words, words
from sluice.rights.case.clock import received_on
from sluice.rights.case.guards import WITHOUT_IDENTITY
from sluice.rights.case.letter_due import answers, is_instead, is_refused_whole, refused_groups
from sluice.rights.case.model import Action, Case, LetterKind, Right, State
from sluice.rights.case.reasons import REMEDIES
from sluice.rights.case.wording import EVERYTHING, SOME, ground_text, group_text, reason_text
from sluice.rights.letters.model import LetterFacts, PartFacts, Proof
from sluice.rights.letters.named import hold_of, named_of
from sluice.rights.letters.sheet import Body, set_out
from sluice.rights.person.reach import keeps_marketing_out, stays_out

WHY_WIDTHS, DID_WIDTHS = (1.0, 2.3), (1.4, 1.0)


def make_letter_page(facts: LetterFacts) -> LetterPage:
    """Make the page of a letter, with every text final."""
    say = words(facts.language)
    body = BODIES[facts.kind](say, facts)
    body = replace(body, parts=(*body.parts, _questions(say, facts)))
    return set_out(say, facts.case, facts.written_on, facts.sender, body)


def done_text(say: Words, right: Right, action: Action, *, is_limited: bool = False) -> str:
    """Return what was done to data, in a few words. is_limited: done only for the uses the person named."""
    named = (f"done.{right}.{action}.named",) if is_limited else ()
    return say.find(*named, f"done.{right}.{action}", f"done.{action}") or action.value


def remedies_of(facts: LetterFacts) -> str | None:
    """Return the key of the text on complaint and court: the one the decision named, else that of the country."""
    named = (each.remedies_ref for each in facts.told if each.remedies_ref)
    return next(named, REMEDIES.get(facts.case.country))


def outcomes(right: Right, each: PartFacts) -> Iterator[tuple[str, Action]]:
    """Yield every field group of a part and what was done about it. One that was restricted instead is also refused.

    For a correction or a copy, only the field groups that were corrected or of which the copy has something.
    """
    part, refused = each.part, set(refused_groups(right, each.part))
    if is_instead(right, part.action):
        refused -= set(part.action_fields or part.field_names)
    for group in (*part.field_names, *sorted((each.done or frozenset()) - {*part.field_names})):
        if group in refused or part.action is None:
            yield group, Action.REFUSE
        elif each.done is None or group in each.done:
            yield group, part.action


def _receipt(say: Words, facts: LetterFacts) -> Body:
    days, right = _days(say, facts.case), facts.case.right
    happens = [*hold_of(say, facts)]
    if right not in WITHOUT_IDENTITY:
        happens.append(say.say("letter.receipt.now.identity"))
    happens.append(say.say("letter.receipt.now.forward"))
    due = (say.say("letter.receipt.due.why"), say.say("letter.receipt.longer", **days))
    return Body(
        say.say("letter.receipt.title"),
        (say.say("letter.receipt.opening"),),
        (Notice("note", say.say("letter.receipt.due", **days), due),),
        (Part(say.say("letter.receipt.now.heading"), _texts(happens)),),
    )


def _extension(say: Words, facts: LetterFacts) -> Body:
    days, right = _days(say, facts.case), facts.case.right
    delays = dict.fromkeys(each.delay for each in facts.told if each.delay)
    why = tuple(Text(reason_text(say, right, delay), below=delay) for delay in delays)
    meanwhile = (*hold_of(say, facts), say.say("letter.extension.meanwhile"))
    return Body(
        say.say("letter.extension.title"),
        (say.say("letter.extension.opening", **days),),
        (Notice("note", say.say("letter.extension.due", **days), (say.say("letter.extension.due.why"),)),),
        (
            Part(say.say("letter.extension.why.heading"), why),
            Part(say.say("letter.extension.meanwhile.heading"), _texts(meanwhile)),
        ),
    )


def _refusal(say: Words, facts: LetterFacts) -> Body:
    all_of_it = all(is_refused_whole(facts.case.right, part) for part in facts.case.sub_cases)
    word = "all" if all_of_it else "some"
    if facts.is_discreet:
        reasons = dict.fromkeys(reason for each in facts.told for reason in each.reasons.values())
        rows = [(EVERYTHING if all_of_it else SOME, reason) for reason in reasons]
        told: Iterable[Part] = (_why_not(say, facts, say.say("letter.about.request"), rows),)
    else:
        told = (_refused(say, facts, each) for each in facts.told)
    return Body(
        say.say(f"letter.refusal.title.{word}"),
        (say.say(f"letter.refusal.opening.{word}"),),
        parts=(*told, *_marketing(say, facts), *_others(say, facts), *_remedies(say, facts)),
    )


def _marketing(say: Words, facts: LetterFacts) -> Iterator[Part]:
    """Yield that whoever objected in general is kept out of advertising all the same (Art. 21(3))."""
    if keeps_marketing_out(facts.case.right, facts.purposes):
        said = say.say("letter.stays_out.marketing"), say.say("letter.remains.suppression")
        yield Part(say.say("letter.stays_out.heading"), _texts(said))


def _refused(say: Words, facts: LetterFacts, each: PartFacts) -> Part:
    right = facts.case.right
    rows = [(group, each.reasons.get(group)) for group in refused_groups(right, each.part)]
    done = [_inside(group_text(say, g)) for g in each.part.action_fields if not is_refused_whole(right, each.part)]
    rest = (say.say("letter.refusal.rest", groups="; ".join(done)),) if done else tuple(_kept(say, facts, each))
    return _why_not(say, facts, _about(say, each), rows, _decides(say, each), rest)


def _kept(say: Words, facts: LetterFacts, each: PartFacts) -> Iterator[str]:
    """Yield what is restricted instead, and when that is reviewed."""
    if each.review_on is None:
        return
    groups = "; ".join(_inside(group_text(say, group)) for group in each.part.action_fields or each.part.field_names)
    yield say.say("letter.instead", groups=groups, day=say.day(each.review_on.isoformat()))


def _why_not(
    say: Words,
    facts: LetterFacts,
    heading: str,
    rows: Iterable[tuple[str, str | None]],
    first: tuple[str, ...] = (),
    rest: tuple[str, ...] = (),
) -> Part:
    right, rows = facts.case.right, tuple(rows)
    cells = tuple((Text(group_text(say, group)), _reason(say, right, reason)) for group, reason in rows)
    codes = (say.say("letter.refusal.codes"),) if any(reason for _, reason in rows) else ()
    table = Grid((say.say("letter.data"), say.say("letter.refusal.why")), cells, WHY_WIDTHS)
    return Part(heading, _texts(first), table=table, after=(*codes, *rest))


def _reason(say: Words, right: Right, reason: str | None) -> Text:
    """Return the text of a reason, or that none was given: then the person is to ask the controller."""
    return Text(reason_text(say, right, reason), below=reason) if reason else Text(say.say("letter.refusal.unsaid"))


def _completion(say: Words, facts: LetterFacts) -> Body:
    told, right = facts.told, facts.case.right
    if facts.is_discreet:
        actions = dict.fromkeys(each.part.action for each in told if each.part.action)
        is_some = any(refused_groups(right, each.part) and not is_refused_whole(right, each.part) for each in told)
        what = SOME if is_some else EVERYTHING
        done: list[Part] = [_did(say, facts, say.say("letter.about.request"), [(what, a) for a in actions])]
    else:
        done = [_done(say, facts, each) for each in told]
    found_nothing = not facts.is_discreet and all(each.is_of_nobody for each in told)
    is_untouched = not facts.is_discreet and all(_is_untouched(right, each) for each in told)
    is_refused = not is_untouched and all(is_refused_whole(right, each.part) for each in told)
    stays = [each for each in told if stays_out(right, each.part) and not each.is_untouched]
    whole = "untouched" if is_untouched and not stays else "all" if _is_whole(facts) else "some"
    word = "none" if found_nothing and not stays else "instead" if is_refused else whole
    after = [
        *_stays_out(say, facts, bool(stays)),
        *_handed(say, facts),
        *_recipients(say, facts),
        *_others(say, facts),
        *_remains(say, facts),
        *_remedies(say, facts),
    ]
    return Body(
        say.say(f"letter.completion.title.{word}"),
        (say.say("letter.completion.opening.none" if is_untouched else "letter.completion.opening"),),
        parts=(*done, *after),
    )


def _stays_out(say: Words, facts: LetterFacts, is_so: bool) -> Iterator[Part]:
    """Yield that the person is kept out from now on, and of which uses.

    Data that is restricted instead says so in its own part of the letter.
    """
    right = facts.case.right
    said = say.find(f"letter.stays_out.{right}") if is_so else None
    if said:
        basis = say.find(f"letter.stays_out.{right}.basis") or ""
        yield Part(say.say("letter.stays_out.heading"), _texts((said, *named_of(say, facts), basis)))
    elif any(each.part.agreement_id is None for each in facts.told):
        yield from _marketing(say, facts)


def _lifting(say: Words, facts: LetterFacts) -> Body:
    """Tell the person before a restriction ends, and what they can do about it (Art. 18(3))."""
    whose = [] if facts.is_discreet else [_about(say, each) for each in facts.told]
    headings = whose or [say.say("letter.about.request")]
    told = tuple(Part(heading, _texts((say.say("letter.lifting.what"),))) for heading in headings)
    return Body(
        say.say("letter.lifting.title"),
        (say.find(f"letter.lifting.opening.{facts.case.right}") or say.say("letter.lifting.opening"),),
        (Notice("note", say.say("letter.lifting.before"), (say.say("letter.lifting.object"),)),),
        (*told, *_remedies(say, facts)),
    )


def _is_untouched(right: Right, each: PartFacts) -> bool:
    """Whether nothing was done about a part, and nothing of it was refused."""
    return each.is_of_nobody or (each.is_untouched and not refused_groups(right, each.part))


def _is_whole(facts: LetterFacts) -> bool:
    """Whether this letter covers all parts of the request, and nothing of them was refused."""
    return len(facts.told) == len(facts.parts) and not any(
        refused_groups(facts.case.right, each.part) for each in facts.told
    )


def _done(say: Words, facts: LetterFacts, each: PartFacts) -> Part:
    if each.is_of_nobody:
        searched = 1 if each.was_gone else len(facts.case.searched)
        nobody = say.count("letter.nobody", searched, count=say.number(searched))
        return Part(_about(say, each), _texts((nobody, say.say("letter.staff"))))
    right = facts.case.right
    if each.is_untouched and not refused_groups(right, each.part):
        return Part(_about(say, each), _texts((*_decides(say, each), say.say(f"letter.untouched.{each.part.action}"))))
    part = _did(say, facts, _about(say, each), outcomes(right, each), _decides(say, each))
    if is_instead(right, each.part.action):
        why = (reason_text(say, right, reason) for reason in dict.fromkeys(each.reasons.values()))
        return replace(part, after=(*why, *_kept(say, facts, each)))
    return replace(part, after=(*_why(say, each), *(_proven(say, each.proof) if each.proof else ())))


def _why(say: Words, each: PartFacts) -> Iterator[str]:
    """Yield why the data had to be erased (Art. 17(1)), if whoever decided said so."""
    if each.ground is not None:
        yield say.say("letter.ground", ground=ground_text(say, each.ground))


def _proven(say: Words, proof: Proof) -> Iterator[str]:
    """Yield what the second scan found, in numbers of files, and where its certificate is."""
    scanned = "scanned.stays" if proof.stays else "scanned"
    for name, count in (("removed", proof.removed), (scanned, proof.scanned)):
        yield say.count(f"letter.proof.{name}", count, count=say.number(count))
    yield say.say("letter.proof.certificate", reference=proof.reference)


def _did(
    say: Words, facts: LetterFacts, heading: str, rows: Iterable[tuple[str, Action]], first: tuple[str, ...] = ()
) -> Part:
    right, is_limited = facts.case.right, facts.is_limited
    cells = tuple(
        (Text(group_text(say, group)), Text(done_text(say, right, action, is_limited=is_limited)))
        for group, action in rows
    )
    table = Grid((say.say("letter.data"), say.say("letter.completion.did")), cells, DID_WIDTHS)
    return Part(heading, _texts(first), table=table)


def _recipients(say: Words, facts: LetterFacts) -> Iterator[Part]:
    """Yield the named recipients, once they are determined: whom we told (Art. 19), or who got what was given."""
    is_untouched = all(each.is_untouched for each in facts.told)
    if facts.recipients is None or facts.is_discreet or is_untouched:
        return
    heading = say.say("letter.recipients.heading")
    if not facts.recipients:
        none = say.find(f"letter.recipients.none.{facts.case.right}", "letter.recipients.none")
        yield Part(heading, _texts((none or "",)))
        return
    rows = tuple((Text(name),) for name in facts.recipients)
    table = Grid((say.say("letter.recipients.name"),), rows, (1.0,))
    guessed = say.say("letter.recipients.guessed", names=", ".join(facts.guessed)) if facts.guessed else ""
    told = say.find(f"letter.recipients.told.{facts.case.right}", "letter.recipients.told")
    yield Part(heading, _texts((told or "",)), table=table, after=(guessed,) * bool(guessed))


def _handed(say: Words, facts: LetterFacts) -> Iterator[Part]:
    """Yield where data went at the person's request (Art. 20(2)): to whom, whose data, and when."""
    if not facts.handed or facts.is_discreet:
        return
    rows = tuple((Text(each.to), Text(each.company), Text(say.day(each.on.isoformat()))) for each in facts.handed)
    table = Grid(tuple(say.say(f"letter.handed.{name}") for name in ("name", "from", "day")), rows, (1.4, 1.4, 1.0))
    yield Part(say.say("letter.handed.heading"), _texts((say.say("letter.handed.told"),)), table=table)


def _remains(say: Words, facts: LetterFacts) -> Iterator[Part]:
    names = ["request"]
    if any(stays_out(facts.case.right, each.part) and not each.is_untouched for each in facts.told):
        names = ["suppression", "request"]
    if erased := [each for each in facts.told if each.part.action is Action.ERASE and each.part.agreement_id]:
        kept_out = [] if all(each.comes_in_again for each in erased) else ["suppression.erased"]
        names = [*kept_out, "request", *(["notices"] if facts.recipients else []), "limits"]
    yield Part(say.say("letter.remains.heading"), _texts(say.say(f"letter.remains.{name}") for name in names))


def _others(say: Words, facts: LetterFacts) -> Iterator[Part]:
    """Yield the parts that somebody else answers."""
    if facts.is_discreet:
        return
    said = [
        say.say("letter.others", company=each.company, day=say.day(received_on(each.part.forwarded_at).isoformat()))
        for each in facts.parts
        if each.part.forwarded_at and not answers(each.part) and each.part.state is not State.WITHDRAWN_BY_SUBJECT
    ]
    if said:
        yield Part(say.say("letter.others.heading"), _texts(said))


def _remedies(say: Words, facts: LetterFacts) -> Iterator[Part]:
    ref = remedies_of(facts)
    if ref is not None:
        ways = (say.say(f"{ref}.{way}") for way in ("again", "complaint", "court"))
        yield Part(say.say(f"{ref}.heading"), _texts(ways))


def _questions(say: Words, facts: LetterFacts) -> Part:
    contact = facts.sender.contact
    reach = say.say("letter.questions.contact", contact=contact) if contact else say.say("letter.questions.same_way")
    return Part(say.say("letter.questions.heading"), _texts((reach, say.say("letter.questions.number"))))


def _about(say: Words, each: PartFacts) -> str:
    if each.part.agreement_id is None:
        return say.say("letter.about.request")
    return say.say("letter.about", company=each.company)


def _decides(say: Words, each: PartFacts) -> tuple[str, ...]:
    if each.part.agreement_id is None:
        return ()
    return (say.say(f"letter.decides.{each.part.controller}", company=each.company),)


def _days(say: Words, case: Case) -> dict[str, str]:
    return {"due": say.day(case.due.legal_due.isoformat()), "extended": say.day(case.due.extended_due.isoformat())}


def _inside(label: str) -> str:
    """Return a label as it appears inside a sentence."""
    return label[:1].lower() + label[1:]


def _texts(sentences: Iterable[str]) -> tuple[Text, ...]:
    return tuple(Text(sentence) for sentence in sentences if sentence)


BODIES: Mapping[LetterKind, Callable[[Words, LetterFacts], Body]] = {
    LetterKind.RECEIPT: _receipt,
    LetterKind.EXTENSION: _extension,
    LetterKind.REFUSAL: _refusal,
    LetterKind.COMPLETION: _completion,
    LetterKind.LIFTING: _lifting,
}
