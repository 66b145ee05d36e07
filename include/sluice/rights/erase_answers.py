"""Answers that lie ready for persons, as an erasure sees them: one more kind of copy, in one more store.

An answer is a copy of what we hold of somebody. Whoever is erased at one principal has no answer left that
was made before: it goes whole, whatever else is in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.exchange.house import House
from sluice.lake.objects import StoredObject
from sluice.rights import answer_store
from sluice.rights.erase_model import ANSWER, Copy, Done, Edit, Outcome, Place, Target
from sluice.rights.identifiers import find_sealed, refs_of, subject_key
from sluice.rights.model import CaseId

if TYPE_CHECKING:
    from sluice.rights.erase_stores import Bench

GROUND = "ANSWER_TO_THE_PERSON"


@dataclass(frozen=True)
class AnswerStore:
    """Packages for persons, sealed in the vault. Whom one is about, the request says that it answers."""

    name: str = "answers to persons"
    kinds: frozenset[str] = frozenset({ANSWER})

    def find(self, bench: "Bench", copy: Copy) -> int:
        case_id = answer_store.find_case(bench.house.conn, copy.exchange_id)
        return int(case_id is not None and _is_about(bench.house, case_id, bench.target))

    def erase(self, bench: "Bench", copy: Copy) -> Edit:
        rows = self.find(bench, copy)
        if not rows:
            return Edit(Done(Place(self.name, copy, 0), Outcome.ERASED, None, 0, 0))
        return Edit(Done(Place(self.name, copy, rows), Outcome.REMOVED, GROUND, rows, 0))

    def objects(self, house: House, target: Target) -> Iterator[StoredObject]:
        yield from house.objects.list_versions(house.settings.bucket_vault, answer_store.PREFIX)


def _is_about(house: House, case_id: CaseId, target: Target) -> bool:
    """Whether one of the persons to erase asked for it; a request whose identifiers are gone is about nobody."""
    sealed = find_sealed(house, subject_key(case_id))
    return sealed is not None and not target.refs.isdisjoint(refs_of(sealed.envelope.identifiers, target.key).values())
