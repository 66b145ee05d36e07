"""Corrections of a person, as an erasure sees them: sealed in the vault, and not part of any exchange.

They are not copies of the catalogue. They are removed last, once nothing else of the person is left at that
principal: a copy that stays, because another controller has not decided, is still read as it was corrected.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sluice.exchange.house import House
from sluice.exchange.persons.corrections import PREFIX
from sluice.lake.s3.objects import StoredObject
from sluice.rights.copies.bench import Bench
from sluice.rights.copies.edits import untouched
from sluice.rights.copies.model import Copy, Edit, Target
from sluice.rights.copies.read import PersonRows


@dataclass(frozen=True)
class CorrectionStore:
    """The corrections that the second scan opens and reads.

    Their references say whom they are about (``corrections.count_left``).
    """

    name: str = "corrections"
    kinds: frozenset[str] = frozenset()

    def find(self, bench: Bench, copy: Copy) -> int:
        return 0

    def erase(self, bench: Bench, copy: Copy) -> Edit:
        return untouched(self.name, copy)

    def read(self, bench: Bench, copy: Copy) -> PersonRows:
        return PersonRows(copy)

    def objects(self, house: House, target: Target) -> Iterator[StoredObject]:
        yield from house.objects.list_versions(house.settings.bucket_vault, f"{PREFIX}{target.principal}/")
