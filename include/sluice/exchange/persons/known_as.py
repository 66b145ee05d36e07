"""Find a person by a corrected identifier too: the right value leads to their rows, and their rows lead to it.

Rows in the lake stay as they came, under the old reference, while lists, views and returns show the right value. A
reference leads on, or is led to, only if no accepted row that has it is about somebody else: a telephone number that
was wrong, or is shared, is also that of others. Nothing here changes anything.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sluice.exchange.house import House
from sluice.exchange.persons.corrections import find_bearers, find_naming
from sluice.terms import Principal


@dataclass(frozen=True, slots=True)
class Link:
    """One correction of an identifier.

    ``rows``: references whose rows it corrects, and those of what it replaced. ``right``: those of the right value.
    """

    rows: frozenset[str] = field(repr=False)
    right: frozenset[str] = field(repr=False)


@dataclass(frozen=True)
class KnownAs:
    """The corrections at one principal, by every reference that one of them has."""

    house: House
    principal: Principal
    links: Mapping[str, Sequence[Link]] = field(repr=False)
    judged: dict[Link, tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, house: House, principal: Principal) -> "KnownAs":
        """Read the corrections as they stand now."""
        links = defaultdict[str, list[Link]](list)
        for each in find_naming(house, principal):
            link = Link(frozenset({*each.refs, *each.named}), frozenset(each.names))
            for ref in link.rows | link.right:
                links[ref].append(link)
        return cls(house, principal, links)

    def lead(self, ref: str) -> frozenset[str]:
        """Return a reference, and those of the same person that corrections lead to."""
        found = frozenset({ref})
        while True:
            links = {link for each in found for link in self.links.get(each, ())}
            more = found.union(*(self._led(link, found) for link in links))
            if more == found:
                return found
            found = more

    def _led(self, link: Link, found: frozenset[str]) -> frozenset[str]:
        if link not in self.judged:
            self.judged[link] = self._judge(link)
        own, taken = self.judged[link]
        to_rows = own & link.rows if found & (link.right - taken) else frozenset()
        return to_rows | (own & link.right if found & own & link.rows else frozenset())

    def _judge(self, link: Link) -> tuple[frozenset[str], frozenset[str]]:
        """Return the references of nobody but this person, and those that are the number of somebody else."""
        every = link.rows | link.right
        others = {
            ref: [row for row in rows if link.rows.isdisjoint(row)]
            for ref, rows in find_bearers(self.house, self.principal, every).items()
        }
        own = frozenset(ref for ref in every if not others.get(ref))
        return own, frozenset(ref for ref, rows in others.items() if any(ref in row for row in rows))
