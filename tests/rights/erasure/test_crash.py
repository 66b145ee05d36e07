"""An erasure that dies anywhere is finished by a rerun: nothing of the person is left, nobody else lost a row."""

import io
import time
from collections import Counter
from collections.abc import Callable, Iterator

import polars as pl
import pytest

from rights.asking import asked, decided
from rights.ground import ENERGY
from rights.town import night_fixture, now
from sluice.exchange.persons.merged import merge_index
from sluice.exchange.read import list_exchanges
from sluice.ledger.verify import verify as verify_ledger
from sluice.rights.case.model import CaseId, State
from sluice.rights.case.store import get_case
from sluice.rights.erasure.certificate import issue
from sluice.rights.erasure.certificate_check import verify_certificate
from sluice.rights.erasure.control import resume, stop
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.model import ErasureBusy, ErasureIsStopped, ErasureReport
from sluice.rights.erasure.preflight import PreflightFailed
from sluice.rights.erasure.release import draft
from sluice.rights.erasure.release import release as let_go
from sluice.rights.notices.notice_store import list_notices
from sluice.rights.notices.tell import Told, tell
from sluice.terms import Direction
from support.crash import Failed, Victim, dying
from support.effort import effort
from support.night import Night

POINTS = effort(3, 120)
STEPS = effort(2, 30)
"""Points of a release, and as many of a stop."""
PEOPLE = POINTS + 2 * STEPS + 14
night = night_fixture(lambda opened: opened.return_all(PEOPLE), contacts=PEOPLE)


@pytest.fixture
def victim(night: Night) -> Iterator[Victim]:
    """A process that works on a case until it is killed at a step. Call it with case, step, what (default: erase)."""
    with dying(night.desk.settings, "erasure") as once:
        yield once


def path_once_free(night: Night, case_id: CaseId) -> ErasureReport:
    """Plan the erasure, let a second person release it, and run it, once the dead worker's locks are free."""
    house = night.desk.house

    def path() -> ErasureReport:
        if any(plan.released_at is None for plan in draft(house, case_id, "airflow", now()).plans):
            let_go(house, case_id, "bert", now())
        return run(house, case_id, now())

    return once_free(path)


def once_free(step: Callable[[], ErasureReport]) -> ErasureReport:
    """Take a step, and again until PostgreSQL has noticed that the dead worker is gone and freed its locks (60 s)."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return step()
        except (ErasureBusy, PreflightFailed):
            assert time.monotonic() < deadline, "a dead worker holds nothing"
            time.sleep(0.2)


@pytest.mark.timeout(2400)
@pytest.mark.evidence
@pytest.mark.slow
def test_killed_anywhere_from_plan_to_notice_a_rerun_leaves_nothing_and_loses_nobody(
    night: Night, victim: Victim, record_property: Callable[[str, object], None]
) -> None:
    people = night.people(PEOPLE)
    _, steps = victim(decided(night, people[0][1], people[0][0]).case_id, 0, "path")
    points = range(1, steps, max(1, steps // POINTS))
    killed = clean = 0
    dirty: list[object] = []
    for (record, phone), point in zip(people[1 : POINTS + 4], points, strict=False):
        case = decided(night, phone, record)
        merge_index(night.desk.house, ENERGY, now(), fewest=1)
        killed += victim(case.case_id, point, "path")[0]
        report = path_once_free(night, case.case_id)
        is_clean = (report.residual, report.doubts, report.waiting) == (0, 0, 0) and is_told(night, case.case_id)
        clean += is_clean
        dirty += [] if is_clean else [(point, report)]

    assert killed >= POINTS * 9 // 10
    assert verify_ledger(night.desk.house.conn, public_pem=night.desk.house.keyring.public_pem).valid
    assert dirty == []
    left = {record for record, _ in people[-2:]}
    for content in files(night):
        assert left <= set(content["customer_number"].to_list())
    record_property(
        "SIGKILL points of an erasure (plan, release, run, proof, certificate, notices): clean after rerun, killed",
        f"{clean} of {min(len(points), POINTS + 3)}, {killed}",
    )


def is_told(night: Night, case_id: CaseId) -> bool:
    """The last steps again: a certificate that holds, everybody told once, each step in the ledger once."""
    house = night.desk.house
    issued = issue(house, case_id)
    said = [verify_certificate(each.jws, house.keyring.public_pem)["residual"] for each in issued]
    told = tell(house, now())
    notices = Counter((each.sub_case_id, each.recipient) for each in list_notices(house.conn, limit=None))
    parts = [part for part in get_case(house.conn, case_id).sub_cases if part.action is not None]
    return (
        said == [0] * len(issued) != []
        and told.failed == 0
        and tell(house, now()) == Told()
        and set(notices.values()) <= {1}
        and {part.state for part in parts} <= {State.EXECUTED, State.EXECUTING, State.RECIPIENTS_NOTIFIED}
        and is_whole(night, case_id)
    )


@pytest.mark.timeout(900)
@pytest.mark.evidence
@pytest.mark.slow
def test_a_release_or_a_stop_killed_anywhere_is_there_once_and_a_killed_run_can_be_stopped(
    night: Night, victim: Victim, record_property: Callable[[str, object], None]
) -> None:
    house, people = night.desk.house, night.people(PEOPLE)
    killed = whole = 0
    cases = iter(decided(night, phone, record) for record, phone in people[POINTS + 4 :])
    for what in ("let_go", "stop"):
        _, steps = victim(next(cases).case_id, 0, what)
        for point in range(1, steps, max(1, steps // STEPS)):
            case_id = next(cases).case_id
            killed += victim(case_id, point, what)[0]
            died, done = victim(case_id, 0, what)
            whole += not died and done > 0 and is_whole(night, case_id)
    assert killed >= 2 * STEPS
    assert whole >= killed
    case = asked(night, *reversed(people[-1]))
    assert victim(case.case_id, 300)[0]
    stop(house.conn, None, "AUDIT", "els", now())
    with pytest.raises(ErasureIsStopped):
        once_free(lambda: run(house, case.case_id, now()))
    with pytest.raises(Failed):
        victim(case.case_id, 0)
    resume(house.conn, None, "els", now())
    assert run(house, case.case_id, now()).residual == 0
    record_property("SIGKILL points of release and stop, whole after rerun", f"{whole} of {killed}")


def is_whole(night: Night, case_id: str) -> bool:
    """Every plan, release and stop of a case has exactly one entry of the ledger."""
    counts = night.desk.sql(
        f"""select (select count(*) from erasure_plan where case_id = '{case_id}') as planned,
                (select count(*) from erasure_plan where case_id = '{case_id}' and released_at is not null) as released,
                (select count(*) from erasure_stop where case_id = '{case_id}') as stopped,
                (select count(*) from erasure_stop where case_id = '{case_id}' and resumed_at is not null) as resumed"""
    )[0]
    bodies = night.desk.sql("select kind, convert_from(body, 'UTF8') as body from ledger.entry")
    entries = Counter(str(row["kind"]).partition(".")[2] for row in bodies if case_id in str(row["body"]))
    return all(entries[word] == count for word, count in counts.items())


def files(night: Night) -> Iterator[pl.DataFrame]:
    """The file as it came and as it went out, and the accepted rows."""
    house, bucket = night.desk.house, night.desk.settings.bucket_exchange
    arrived = house.objects.read(bucket, "energy01/inbound/renewal_campaign/file.csv")
    sent = next(content for name, content in night.delivered().items() if name.endswith(".csv"))
    for content in (arrived, sent):
        yield pl.read_csv(io.BytesIO(content), separator=";", infer_schema=False)
    [line] = list_exchanges(house.conn, direction=Direction.INBOUND)
    [lake] = house.objects.list_versions(
        night.desk.settings.bucket_lake, f"energy01/renewal_campaign/exchange={line.id}/part"
    )
    yield pl.read_parquet(io.BytesIO(house.objects.read(lake.bucket, lake.key, lake.version_id)))
