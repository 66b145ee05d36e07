"""Two hundred canaries: values of invented persons that must be found in two places and in no other (S-01).

Forty persons, five canaries each, in the spellings in which files write them. Nothing here is of the product.
"""

import random
from dataclasses import dataclass

PERSONS = 40
KINDS = ("name", "phone", "email", "iban", "note")
CONSONANTS = "bcdfghjklmnpqrstvwxz"


@dataclass(frozen=True)
class Canary:
    """One value of one person. ``written``: as their file has it; ``spellings``: every form that would betray it."""

    kind: str
    written: str
    spellings: tuple[str, ...]


@dataclass(frozen=True)
class Person:
    """One invented person; ``canaries`` in the order of ``KINDS``."""

    record: str
    canaries: tuple[Canary, ...]

    def __getattr__(self, kind: str) -> str:
        """The canary of a kind, as files write it."""
        if kind not in KINDS:
            raise AttributeError(kind)
        return self.canaries[KINDS.index(kind)].written


def draw(seed: int, persons: int = PERSONS) -> list[Person]:
    """Persons of a seed, none of whom has a word or a number in common with another."""
    rng = random.Random(seed)
    lines = rng.sample(range(1_000_000, 9_999_999), persons)
    return [_person(rng, line) for line in lines]


def _person(rng: random.Random, line: int) -> Person:
    name, word = (_word(rng) for _ in range(2))
    national = f"047{line}"
    spaced = f"{national[:4]} {national[4:6]} {national[6:8]} {national[8:]}"
    iban = _iban(f"{line}{rng.randrange(10**3):03}")
    blocks = " ".join(iban[at : at + 4] for at in range(0, 16, 4))
    return Person(
        f"E{line}{line % 10}",
        (
            Canary("name", name, (name,)),
            Canary("phone", spaced, (spaced, national, f"+32{national[1:]}")),
            Canary("email", f"{word.lower()}@inbox.example", (f"{word.lower()}@inbox.example",)),
            Canary("iban", blocks, (blocks, iban)),
            Canary("note", f"de hond heet {word[::-1]}", (word[::-1],)),
        ),
    )


def _word(rng: random.Random) -> str:
    """Ten letters that no language has in this order."""
    return "".join(rng.choices(CONSONANTS, k=10)).capitalize()


def _iban(account: str) -> str:
    """A Belgian IBAN with both of its check numbers (ISO 13616)."""
    bban = f"{account}{int(account) % 97 or 97:02}"
    return f"BE{98 - int(f'{bban}111400') % 97:02}{bban}"
