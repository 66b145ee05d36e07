"""What a principal reads about a case: its own number, its own identifiers, and nothing of anybody else.

Every document is a function of the case alone, so a rerun writes the same bytes under the same key.
"""

from collections.abc import Collection
from itertools import count

from sluice.documents.words import in_each_language
from sluice.rights.case.model import ACTIONS, FILE, RECORD, Case, SubCase
from sluice.rights.person.envelope import Envelope
from sluice.rights.person.identifiers import WORDS, Identifier, places_at
from sluice.terms import Principal
from sluice.times import utc_text


def notice_key(part: SubCase, end: str = "") -> str:
    """The key of a notice about a part, in the prefix of the part's own principal."""
    return f"{part.principal}/notices/case-{part.sub_case_id}{end}.json"


def forward_document(case: Case, part: SubCase, envelope: Envelope) -> dict[str, object]:
    """The request as its controller gets it, with the identifiers that this principal's own files know.

    A request that came in a principal's own file is not repeated to it: the document only says how many it named.
    """
    return {
        "notice": "case.forwarded",
        "case": part.sub_case_id,
        "right": case.right.value,
        "article": case.right.article,
        "received": case.due.received.isoformat(),
        "legal_due": case.due.legal_due.isoformat(),
        "agreement": part.agreement_id,
        "agreement_version": part.agreement_version,
        "field_groups": list(part.field_groups),
        "decisions": sorted(action.value for action in ACTIONS[case.right]),
        "persons": case.persons,
        "identifiers": _forwarded(case, part, envelope),
        **({"purposes": list(envelope.purposes)} if envelope.purposes else {}),
        **({"channel": envelope.contact_channel} if envelope.contact_channel else {}),
        "text": in_each_language("controller.FORWARDED"),
    }


def _forwarded(case: Case, part: SubCase, envelope: Envelope) -> list[list[dict[str, str]]]:
    """The persons of a request, each with their identifiers; none of a file that their controller put itself."""
    if case.channel == FILE:
        return []
    return persons_known_to(part, envelope) if case.channel == RECORD else [known_to(part, envelope)]


def told_document(case: Case, part: SubCase, word: str) -> dict[str, object]:
    """A reminder, an escalation or a withdrawal. It has no identifiers, because the first notice had them."""
    return {
        "notice": f"case.{word.lower()}",
        "case": part.sub_case_id,
        "right": case.right.value,
        "legal_due": case.due.legal_due.isoformat(),
        "forwarded_at": utc_text(part.forwarded_at) if part.forwarded_at else None,
        "text": in_each_language(f"controller.{word}"),
    }


def known_to(part: SubCase, envelope: Envelope) -> list[dict[str, str]]:
    """The identifiers that the files of a part's principal know."""
    return [_said(envelope.identifiers[place]) for place in _known_places(part, envelope)]


def persons_known_to(
    part: SubCase, envelope: Envelope, among: Collection[int] | None = None
) -> list[list[dict[str, str]]]:
    """As :func:`known_to`, person by person; persons without any such identifier are left out.

    ``among``: only these places of the sealed list; None: all.
    """
    known = frozenset(_known_places(part, envelope)) & frozenset(
        range(len(envelope.identifiers)) if among is None else among
    )
    places = count()
    every = [[(next(places), each) for each in person] for person in envelope.persons]
    found = [[_said(each) for place, each in person if place in known] for person in every]
    return [person for person in found if person]


def _known_places(part: SubCase, envelope: Envelope) -> list[int]:
    own = places_at(envelope.identifiers, Principal(part.principal))
    return own if part.identifiers is None else [place for place in part.identifiers if place in own]


def _said(identifier: Identifier) -> dict[str, str]:
    return {"kind": WORDS[identifier.kind], "value": identifier.value}
