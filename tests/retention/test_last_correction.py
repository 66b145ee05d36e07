"""A correction goes once nothing of its person is left that it could put right, and not before."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from retention.keeping import at_night
from sluice.exchange.catalogue import find_copies
from sluice.exchange.persons.corrections import PREFIX, RightValue, correct, find_corrections
from sluice.keys import QUARANTINE
from sluice.retention.holds import hold
from sluice.retention.model import HoldReason
from sluice.retention.run import retain
from sluice.rights.case.facts import sealed_days
from sluice.settings import Settings
from sluice.subject.refs import refer
from sluice.terms import ExchangeId, Principal, SubjectKind
from sluice.times import brussels_today
from support.copies import Copies
from support.night import AGREEMENT, Edit, Night, copied_night, open_night, with_papers

ENERGY = Principal("energy01")
CASE = "3f0d6a52-1c67-4b6e-9a0b-0f5a3c1d7e42"


def corrected(night: Night, record: str) -> None:
    ref = refer(night.desk.house.subject_key(ENERGY), SubjectKind.PRINCIPAL_CUSTOMER_ID, record).ref or ""
    right = RightValue("street", "Rechtzettingsplein 1", datetime.now(UTC), False, record)
    correct(night.desk.house, ENERGY, CASE, frozenset({ref}), right, datetime.now(UTC))


def left(night: Night) -> tuple[int, int]:
    """Corrections that hold, and objects of corrections."""
    there = [item for item in night.desk.objects(night.desk.settings.bucket_vault) if item.key.startswith(PREFIX)]
    return len(find_corrections(night.desk.house, ENERGY)), len(there)


def data_goes_on(night: Night) -> date:
    copies = [copy for line in night.desk.lines() for copy in find_copies(night.desk.house.conn, ExchangeId(line.id))]
    return max(date.fromisoformat(copy.delete_after) for copy in copies if copy.delete_after) + timedelta(days=1)


def reasons(night: Night) -> list[str]:
    entries = night.desk.sql("select kind, convert_from(body, 'UTF8') as body from ledger.entry order by seq")
    return [json.loads(str(each["body"]))["why"] for each in entries if each["kind"] == "correction.dropped"]


def test_a_correction_stays_as_long_as_older_files_can_come_and_then_goes_with_proof(
    copies: Copies, tmp_path: Path
) -> None:
    with copied_night(copies, tmp_path) as night:
        corrected(night, night.people(1)[0][0])
        old = brussels_today() + timedelta(days=sealed_days(brussels_today()))
        assert retain(night.desk.house, at_night(min(data_goes_on(night), old))).corrections == 0
        assert left(night) == (1, 1)

        assert retain(night.desk.house, at_night(old + timedelta(days=2))).corrections == 1
        assert (left(night), reasons(night)) == ((0, 0), ["nothing_left"])
        assert retain(night.desk.house, at_night(old + timedelta(days=2))).corrections == 0


def test_while_a_copy_of_the_person_stays_it_stays_and_what_a_dead_worker_marked_is_removed(
    copies: Copies, tmp_path: Path
) -> None:
    with copied_night(copies, tmp_path) as night:
        corrected(night, night.people(1)[0][0])
        corrected(night, "E99999999")  # in no file
        house, late = night.desk.house, brussels_today() + timedelta(days=sealed_days(brussels_today()) + 2)
        for only, expected in ((night.desk.lines()[0].flow, (1, (1, 1))), (None, (0, (0, 0)))):
            hold(house.conn, ENERGY, HoldReason.LEGAL_CLAIMS, "C-1", late, "an", datetime.now(UTC), flow=only)
            if only is None:
                house.conn.execute("update correction set gone_at = now()")  # and the worker died
            done = retain(house, at_night(late))
            assert done.held > 0 and done.deleted == 0
            assert (done.corrections, left(night)) == expected


def test_after_the_agreement_ended_it_goes_with_the_last_copy(store_settings: Settings, tmp_path: Path) -> None:
    end = brussels_today() + timedelta(days=3)
    settings = with_papers(
        store_settings, tmp_path, Edit(AGREEMENT, "validTo: null\ndocument", f"validTo: {end}\ndocument")
    )
    with open_night(settings, tmp_path) as night:
        corrected(night, night.people(1)[0][0])
        due = end + timedelta(days=30)
        assert retain(night.desk.house, at_night(min(due, data_goes_on(night)) - timedelta(days=1))).corrections == 0
        assert left(night) == (1, 1)
        assert retain(night.desk.house, at_night(due)).corrections == 1
        assert (left(night), reasons(night)) == ((0, 0), ["agreement_ended"])


def test_what_nobody_can_open_any_more_because_the_key_was_destroyed_goes_unread(
    copies: Copies, tmp_path: Path
) -> None:
    with copied_night(copies, tmp_path) as night:
        corrected(night, night.people(1)[0][0])
        keys = night.desk.house.keyring
        keys.destroy(ENERGY, QUARANTINE, keys.fingerprint(ENERGY, QUARANTINE))

        done = retain(night.desk.house, at_night(brussels_today()))

        assert (done.corrections, done.failed, left(night)) == (1, 0, (0, 0))
