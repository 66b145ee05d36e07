"""Find the person in what a sender wrote beside its file: metadata, headers and tags of the object."""

from sluice.exchange.house import House
from sluice.rights.case.model import CaseId
from sluice.rights.copies.files import needles_for
from sluice.rights.copies.model import Target
from sluice.rights.copies.needles import recall
from sluice.scan.model import Status
from sluice.scan.needles import needles_of
from sluice.scan.words import scan_words


def is_named_beside(house: House, target: Target, words: tuple[str, ...]) -> bool:
    """Whether the person is named there, by what they gave or by any spelling that a run remembered of their rows."""
    if not words:
        return False
    known = recall(house, CaseId(target.case_id), target.principal).values if target.case_id else frozenset()
    more = sorted(known - set(target.values))
    needles = needles_of((*target.values, *more), words=sorted(target.refs)) if more else needles_for(target)
    return scan_words(words, needles).status is Status.HIT
