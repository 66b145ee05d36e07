"""The demo's persons: one in both principals' files and in a return asks to be forgotten, then a batch of 1,000 does.

The desk opens and decides, the principals instruct with their own keys, and somebody else releases. What the schedules
do every five minutes is done at once.
"""

import csv
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sluice.demo.files import Drop
from sluice.demo.night_files import SOURCES
from sluice.demo.story import DemoUnfinished, Outcome, as_principal
from sluice.errors import Ref
from sluice.exchange.house import House
from sluice.exchange.persons.suppressed import find_reasons
from sluice.lake.s3.objects import ObjectStore
from sluice.media_types import CSV
from sluice.returns.drain import drain_returns
from sluice.rights.case import store
from sluice.rights.case.model import Action, Case, CaseId, LetterKind, Order, Right, State, Track, desk_actor
from sluice.rights.case.steps import decide, desk_order, settle_identity
from sluice.rights.copies.where import Whereabouts, where
from sluice.rights.erasure.certificate import Certificate, issue
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.model import ErasureBusy, ErasureReport, ReleaseRefused
from sluice.rights.erasure.release import draft, release
from sluice.rights.finish import finish
from sluice.rights.letters.write import note_opened, open_letter, write_letter
from sluice.rights.notices.model import Notice
from sluice.rights.notices.notice_store import list_notices
from sluice.rights.notices.tell import tell
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.person.identifiers import parse_identifier, refs_of
from sluice.rights.request_store import list_files
from sluice.rights.requests import read_requests
from sluice.rights.schedule import follow
from sluice.subject.normalise import normalise
from sluice.terms import Decision, Principal, SubjectKind

ENERGY, TELECOM = Principal("energy01"), Principal("telecom01")
DESK, PLANNER, RELEASER = desk_actor("els.claes"), "carl.maes", "an.peeters"
BATCH = 1000
WAIT_SECONDS = 120

Say = Callable[[str], None]


@dataclass(frozen=True)
class Person:
    """One story, from the request to the proof. ``forwarded``: the notices of each principal, as it reads them."""

    case: Case
    before: tuple[Whereabouts, ...]
    reasons: tuple[str, ...]
    """Why the person was kept out right after the request, before anybody decided."""
    forwarded: dict[str, bytes]
    planner_refused: bool
    report: ErasureReport
    certificates: tuple[Certificate, ...]
    letter: Path
    recipients: tuple[Notice, ...]
    again: Outcome
    """The person in a later file, in another spelling."""
    batch: Case
    batch_report: ErasureReport
    seconds: float


def run_person(
    house: House,
    phone: str,
    customers: Sequence[str],
    again: Callable[[], Callable[[], Outcome]],
    folder: Path,
    say: Say,
) -> Person:
    """Run the whole story. ``customers``: those of the batch. ``again``: drops a later file that has the person.

    ``again`` returns a function that waits for that file. Meanwhile the batch is read, instructed, planned and
    released.
    """
    started = time.monotonic()
    person = (parse_identifier(f"phone:{phone}", 1),)
    before = tuple(where(house, person, (ENERGY, TELECOM)))
    say("a person of both principals asks to be forgotten; both are told, and kept from each other")
    case = _asked(house, phone)
    refs = frozenset(refs_of(person, house.subject_key(ENERGY), ENERGY).values())
    reasons = find_reasons(house, ENERGY, refs)
    follow(house, _now())
    forwarded = instructed(house, case.case_id)
    say(f"{PLANNER} plans, {RELEASER} releases; copies are erased and every byte is read again")
    planner_refused = _released(house, case.case_id)
    report = _erased(house, case.case_id)
    certificates = issue(house, case.case_id)
    letter = _ended(house, case.case_id, folder)
    say("the person comes back in a later file, in another spelling")
    came_back = again()
    say(f"energy01 asks the same for {len(customers):,} customers in one file")
    batch_id = _batch_released(house, customers)
    back = came_back()
    batch, batch_report = _batch_erased(house, batch_id)
    return Person(
        case=store.get_case(house.conn, case.case_id),
        before=before,
        reasons=reasons,
        forwarded=forwarded,
        planner_refused=planner_refused,
        report=report,
        certificates=certificates,
        letter=letter,
        recipients=tuple(list_notices(house.conn, case_id=case.case_id)),
        again=back,
        batch=batch,
        batch_report=batch_report,
        seconds=time.monotonic() - started,
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _order(word: str) -> Order:
    return desk_order(DESK.name, _now(), word)


def _asked(house: House, phone: str) -> Case:
    """Open the case of a letter to the center. The desk has no doubt who the person is."""
    now = _now()
    identifiers = [(SubjectKind.PHONE, phone)]
    case = open_case(house, NewRequest(Right.ERASURE, identifiers, None, now, "letter", "nl", DESK), now)
    write_letter(house, case.case_id, LetterKind.RECEIPT, now)
    return settle_identity(house.conn, case.case_id, True, _order("IDENTITY_SHOWN"))


def instructed(house: House, case_id: CaseId, action: Action = Action.ERASE) -> dict[str, bytes]:
    """Let every principal read its notice and instruct with its own key. The desk decides for the center.

    Returns what each principal was told, by its code.
    """
    notices: dict[str, bytes] = {}
    for part in store.get_case(house.conn, case_id).sub_cases:
        if part.track is Track.PROCESSOR and part.state is State.AWAITING_INSTRUCTION:
            own = ObjectStore(as_principal(house.settings, part.principal))
            bucket, key = house.settings.bucket_exchange, f"{part.principal}/notices/case-{part.sub_case_id}.json"
            notices[part.principal] = notices.get(part.principal, b"") + own.read(bucket, key)
            said = json.dumps({"case": part.sub_case_id, "decision": action.value}).encode()
            own.put(bucket, f"{part.principal}/requests/instruction-{part.sub_case_id[:8]}.json", said, "text/json")
    read_requests(house, _now())
    if any(part.state is State.SCOPED for part in store.get_case(house.conn, case_id).sub_cases):
        decide(house.conn, case_id, State.ACCEPTED, replace(_order("ACCEPTED"), action=action))
    return notices


def _released(house: House, case_id: CaseId) -> bool:
    """Release the plan by somebody else, and return whether its maker was refused. Airflow may have planned before."""
    drafted = draft(house, case_id, PLANNER, _now())
    try:
        release(house, case_id, drafted.plans[0].made_by, _now())
        refused = False
    except ReleaseRefused:
        refused = True
    release(house, case_id, RELEASER, _now())
    return refused


def _erased(house: House, case_id: CaseId) -> ErasureReport:
    """Run the erasure as the DAG `erasure` does, and again while files are under way. Waits if the DAG came first.

    Raises DemoUnfinished.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            report = run(house, case_id, _now())
        except ErasureBusy:
            time.sleep(1)
            continue
        if not report.waiting:
            return report
        for source in SOURCES:
            drain_returns(house, source.principal, source.flow, _now(), {})
        time.sleep(1)
    raise DemoUnfinished(Ref("case", case_id))


def _ended(house: House, case_id: CaseId, folder: Path) -> Path:
    """Tell recipients, take the steps of the case that are ready, and write the last letter to the person."""
    tell(house, _now())
    finish(house, _now())
    letter = write_letter(house, case_id, LetterKind.COMPLETION, _now())
    note_opened(house.conn, letter, _now(), DESK)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"completion-{case_id[:8]}.pdf"
    path.write_bytes(open_letter(house, letter))
    return path


def _batch_released(house: House, customers: Sequence[str]) -> CaseId:
    """Read one request file of energy01 for many customers, put with its own key, then proceed as for one person."""
    own, bucket = ObjectStore(as_principal(house.settings, ENERGY)), house.settings.bucket_exchange
    content = "\n".join(["customer", *customers, ""]).encode()
    stored = own.put(bucket, f"{ENERGY}/requests/erasure-batch.csv", content, CSV)
    read_requests(house, _now())
    case_id = _case_of(house, stored.version_id)
    follow(house, _now())
    instructed(house, case_id)
    _released(house, case_id)
    return case_id


def _batch_erased(house: House, case_id: CaseId) -> tuple[Case, ErasureReport]:
    report = _erased(house, case_id)
    issue(house, case_id)
    tell(house, _now())
    finish(house, _now())
    return store.get_case(house.conn, case_id), report


def _case_of(house: House, version_id: str) -> CaseId:
    files = list_files(house.conn, ENERGY)
    found = next((file.case_id for file in files if file.version_id == version_id), None)
    if found is None:
        raise DemoUnfinished(Ref("request", version_id))
    return found


def shared_phone(sent: Sequence[dict[str, str]], shared: frozenset[str]) -> str:
    """Return a phone of the return that is in both principals' files. Raises DemoUnfinished."""
    found = next((row["phone"] for row in sent if row["phone"] in shared), None)
    if found is None:
        raise DemoUnfinished(Ref("persons of both", 0))
    return found


def batch_of(campaign: Path, phone: str) -> list[str]:
    """Return customer numbers of energy01's file for the batch, without the person of the first case."""
    with campaign.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    return [row["customer_number"] for row in rows if row["phone"] != phone][-BATCH:]


def customers_of(campaign: Path) -> list[str]:
    """Return the customer numbers of energy01's file that are not in the batch, in the file's order."""
    with campaign.open(newline="", encoding="utf-8") as file:
        return [row["customer_number"] for row in csv.DictReader(file, delimiter=";")][:-BATCH]


def come_again(campaign: Path, phone: str, folder: Path) -> Drop:
    """Write a later file with the first 200 persons of the campaign, and the erased one in another spelling."""
    with campaign.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file, delimiter=";")
    place = header.index("phone")
    mine = next(row for row in rows if row[place] == phone)
    normal = normalise(SubjectKind.PHONE, phone).value or phone
    again = [*mine[:place], f"00{normal.removeprefix('+')}", *mine[place + 1 :]]
    others = [row for row in rows[:200] if row[place] != phone]
    path = folder / "campaign_later.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=";").writerows([header, again, *others])
    return Drop(
        ENERGY, "renewal_campaign", path, "campaign_later.csv", Decision.PARTLY_ACCEPTED, None, "an erased person again"
    )
