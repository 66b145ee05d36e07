"""Who objects by an identifier that only the platform's results have stays out, too."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sluice.exchange.persons.suppressed import keep_out
from sluice.settings import Settings
from sluice.subject.refs import refer
from sluice.subject.suppression import Suppression
from sluice.terms import Principal, SubjectKind
from support.night import AT_ONCE, RESULTS_CONTRACT, Call, Edit, open_night, with_papers

pytestmark = pytest.mark.stores
PLACE = """      - name: order_number
        logicalType: string
        required: false
        classification: confidential
        customProperties:
"""
AN_IBAN = Edit(RESULTS_CONTRACT, PLACE, f"{PLACE}          - {{property: subjectKey, value: iban}}\n")
IBAN = "BE68539007547034"


def test_an_objection_by_an_identifier_that_only_the_result_has_keeps_the_row_back(
    store_settings: Settings, tmp_path: Path
) -> None:
    with open_night(with_papers(store_settings, tmp_path, AT_ONCE, AN_IBAN), tmp_path, 5) as night:
        first, second = night.people(2)
        night.called(Call("c1", *first, order=IBAN), Call("c2", *second))
        house, principal = night.desk.house, Principal("energy01")
        ref = refer(house.subject_key(principal), SubjectKind.IBAN, IBAN).ref
        assert ref is not None
        keep_out(
            house, principal, frozenset({ref}), Suppression.OBJECTED, cause="test", case_id=None, now=datetime.now(UTC)
        )

        night.make()

        [line] = night.returns()
        assert night.record(line).right_treatment.held_back == {"objected": 1}
        assert first[0] not in night.file(line).decode() and second[0] in night.file(line).decode()
