"""What a principal puts about its part of a case, and the sweeps of the schedule."""

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rights.town import DESK, SHA, Town, open_town, papers_of
from sluice.rights.case import store
from sluice.rights.case.model import Action, Case, LetterKind, Order, State, SubCase, Track
from sluice.rights.case.next_step import step_of
from sluice.rights.case.steps import decide
from sluice.rights.case.store import CaseFilter, list_cases
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.letters.write import open_document
from sluice.rights.read_instructions import read_instruction
from sluice.rights.schedule import follow, sweep
from sluice.services.buckets import make_buckets
from sluice.settings import Settings
from sluice.terms import Principal
from support.copies import Copies, Fill
from support.night import Edit

ENERGY = Principal("energy01")
Fixture = Callable[..., Iterator[Town]]
PEOPLE = 4


def arrived(settings: Settings, folder: Path, *edits: Edit) -> None:
    """Fills an installation: four persons came in at energy01."""
    with open_town(papers_of(settings, folder, [ENERGY], *edits), folder, [ENERGY], PEOPLE) as opened:
        opened.arrive(ENERGY, opened.people)


def returned(settings: Settings, folder: Path, *edits: Edit) -> None:
    """The same, and two of them were called and returned."""
    with open_town(papers_of(settings, folder, [ENERGY], *edits), folder, [ENERGY], PEOPLE) as opened:
        opened.arrive(ENERGY, opened.people)
        opened.give_back(ENERGY, opened.people[:2])


def lent(fill: Fill = arrived, *edits: Edit, names: Sequence[str] = (ENERGY,), people: int = PEOPLE) -> Fixture:
    """A fixture: a town with a database and evidence of its own, and objects shared by all tests of the same papers.

    For tests that take no object away, and look for what they put there only; more edits come as parameter.
    """

    @pytest.fixture
    def town(copies: Copies, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Town]:
        more = getattr(request, "param", ())
        with (
            copies.lend(fill, tmp_path, *edits, *more) as settings,
            open_town(with_own_evidence(settings), tmp_path, names, people) as opened,
        ):
            yield opened

    return town


def with_own_evidence(settings: Settings) -> Settings:
    """The same objects, but for the evidence: in it lies who was ever kept out, which the database has to know."""
    own = settings.model_copy(update={"bucket_evidence": f"evidence-{secrets.token_hex(6)}"})
    make_buckets(own, embedded=True)
    return own


def owned(fill: Fill = arrived, *edits: Edit, names: Sequence[str] = (ENERGY,), people: int = PEOPLE) -> Fixture:
    """The same with objects of its own, for tests that erase."""

    @pytest.fixture
    def town(copies: Copies, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Town]:
        more = getattr(request, "param", ())
        with (
            copies.of(fill, tmp_path, *edits, *more) as settings,
            open_town(settings, tmp_path, names, people) as opened,
        ):
            yield opened

    return town


def now() -> datetime:
    return datetime.now(UTC)


def instruct(town: Town, part: SubCase, at: datetime | None = None, **said: object) -> InstructionOutcome:
    """The principal of a part puts a file of its own that says this."""
    body = json.dumps({"case": part.sub_case_id, **said}).encode()
    key = f"{part.principal}/requests/instruction-{part.sub_case_id}.json"
    stored = town.house.objects.put(town.desk.settings.bucket_exchange, key, body, "text/json")
    return read_instruction(town.house, Principal(part.principal), stored, at or datetime.now(UTC)).outcome


def accept(town: Town, case: Case, action: Action, at: datetime | None = None) -> None:
    """Decide, as the center, to do what was asked on the parts that it decides."""
    order = Order(DESK, at or datetime.now(UTC), "ACCEPTED", SHA, action=action)
    decide(town.house.conn, case.case_id, State.ACCEPTED, order)


def swept(town: Town, case: Case, at: datetime | None = None) -> Case:
    """The case after what the schedule does every five minutes, often enough that nothing is due any more."""
    for _ in range(3):
        follow(town.house, at or datetime.now(UTC))
        sweep(town.house, at or datetime.now(UTC))
    return current(town, case)


def current(town: Town, case: Case) -> Case:
    """The case as it stands."""
    return store.get_case(town.house.conn, case.case_id)


def of_principal(case: Case) -> SubCase:
    """The one part that a principal decides."""
    [part] = [each for each in case.sub_cases if each.track is Track.PROCESSOR]
    return part


def of_center(case: Case) -> SubCase:
    """The one part that the center decides."""
    [part] = [each for each in case.sub_cases if each.track is Track.CONTROLLER]
    return part


def letter_text(town: Town, case: Case, kind: LetterKind = LetterKind.COMPLETION) -> str:
    """Every word of the one letter of a kind, a line each."""
    [letter] = [each for each in current(town, case).letters if each.kind is kind]
    return "\n".join(json.loads(open_document(town.house, letter))["text"])


def is_on_both_lists(town: Town, case: Case) -> bool:
    """Whether the case waits for the desk, which SQL and next_step say alike."""
    is_ours = step_of(current(town, case)).is_ours
    listed = {each.case_id for each in list_cases(town.house.conn, CaseFilter(only_ours=True))}
    assert (case.case_id in listed) is is_ours
    return is_ours
