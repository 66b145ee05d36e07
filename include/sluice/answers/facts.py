"""What an answer is made from, once all is read: for the page, for the documents, for the record."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sluice.answers.authority import PRINCIPAL, Authority
from sluice.answers.info import Information
from sluice.answers.model import UNASSIGNED, AnswerKind, FieldLine, Found, StoreCount
from sluice.answers.select import Selected
from sluice.rights.case.model import Case
from sluice.rights.letters.model import Sender
from sluice.terms import Decider


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A part that its controller answers itself: when it was passed on, and the ledger entry that proves it."""

    company: str
    on: date
    entry_hash: str | None


@dataclass(frozen=True)
class Facts:
    """Everything an answer says. ``language``: nl, fr or en; ``made_at`` UTC."""

    case: Case
    kind: AnswerKind
    language: str
    made_at: datetime
    sender: Sender
    found: tuple[Found, ...]
    authorities: Mapping[str, Authority]
    information: tuple[Information, ...]
    selected: Selected
    forwarded: tuple[Forwarded, ...]
    stores: tuple[StoreCount, ...]
    kept_out: tuple[str, ...] = ()
    """Why the person is kept out, at any principal that was searched."""

    @property
    def is_processed(self) -> bool:
        """Whether any place names the person, or a code keeps them out.

        Art. 15 asks this first, whatever may be given.
        """
        return self.is_found or bool(self.kept_out)

    @property
    def is_found(self) -> bool:
        """Whether any place names the person."""
        return any(count.hits for count in self.stores)

    @property
    def left_out(self) -> tuple[FieldLine, ...]:
        """Columns that are not given."""
        return tuple(line for line in self.selected.fields if not line.included)

    @property
    def given(self) -> tuple[str, ...]:
        """Part and field group of everything that is given, as ``part/group``.

        Data goes with the part of whoever decides of it now; under no agreement of the case with each that may.
        """
        return tuple(
            sorted(
                {
                    f"{part.sub_case_id}/{group}"
                    for each in self.found
                    for authority in (self.authorities[each.principal],)
                    for part in authority.given
                    for agreement, controller, group in self._inside(each)
                    if part.controller in authority.deciders(controller, group, part.agreement_id)
                    and (agreement == part.agreement_id or agreement not in {one.agreement_id for one in each.parts})
                }
            )
        )

    def _inside(self, found: Found) -> Iterator[tuple[str | None, Decider, str]]:
        """Yield agreement, controller and group of everything of one principal that is in the tables."""
        under = {(held.dataset, held.version): held.agreement for held in found.held}
        for line in self.selected.fields:
            if line.included and line.principal == found.principal:
                yield under.get((line.dataset, line.version)), line.controller, line.group
        if UNASSIGNED in self.selected.tables:
            for held in found.held:
                if held.raw:
                    yield held.agreement, PRINCIPAL, UNASSIGNED

    @property
    def companies(self) -> Mapping[str, str]:
        """Names of companies, by the principal's code."""
        return {each.principal: each.company for each in self.found}

    @property
    def center_decides(self) -> bool:
        """Whether a column is given that is ours to decide on, alone or with a company."""
        return any(line.included and line.controller != PRINCIPAL for line in self.selected.fields)

    def controller_of(self, line: FieldLine) -> str:
        """Return by name who decides on a column: the company, we, or both jointly (Art. 26)."""
        company, center = self.companies[line.principal], self.sender.name
        match line.controller:
            case "center":
                return center
            case "joint":
                return f"{company}; {center}"
            case _:
                return company
