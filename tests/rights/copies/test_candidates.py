"""A name and a birth date point at candidates; a human confirms one, and nothing goes before that."""

import io
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from returns.commands import at_terminal, sluice
from rights.asking import DESK, asked
from rights.town import night_fixture, now
from sluice.errors import DatabaseError, NotFound
from sluice.exchange.catalogue import get_copy
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.exchange.read import list_exchanges
from sluice.ledger.verify import verify as verify_ledger
from sluice.rights.case import store
from sluice.rights.case.due import Due, due_actions
from sluice.rights.case.errors import IdentifierInvalid, TransitionRefused
from sluice.rights.case.model import Case, CaseId, Order, Right, State
from sluice.rights.case.steps import settle_identity
from sluice.rights.confirm_candidate import CaseNotWaiting, candidates_of, confirm_candidate
from sluice.rights.copies.candidates import find_candidates, identifier_of
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.model import NotDecided
from sluice.rights.erasure.release import draft
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.person.identifiers import Sought
from sluice.rights.person.sealed import open_sealed
from sluice.rights.requests import read_requests
from sluice.settings import Settings
from sluice.subject.candidate import candidate_ref, normal_candidate
from sluice.subject.index import CANDIDATE_CODE, find_in_run
from sluice.subject.scope import CONSENT
from sluice.terms import Direction, ExchangeId, Principal, SubjectKind
from support.meanwhile import locked
from support.night import Edit, Night, change, open_night, with_papers

ENERGY = Principal("energy01")
CONTRACT = "renewal_campaign.inbound.odcs.yaml"
PD = "https://w3id.org/dpv/pd#"


YEARS = range(1981, 1988)
"""Of each there are two more of the same name, born on the third of April."""


def columns_of(contract: str) -> list[Edit]:
    """The edits that mark columns of the contract as parts of the candidate key: the names and the birth date."""
    found = []
    for name, category, part in (
        ("first_name", "Name", "name"), ("last_name", "Name", "name"), ("birth_date", "BirthDate", "birth_date"),
    ):  # fmt: skip
        block = re.search(rf"      - name: {name}\n(?:        .*\n)+?.*{category}\"}}\n", contract)
        assert block is not None
        column, end = block[0], f'"{PD}{category}"}}'
        key = f"{end}\n          - {{property: candidateKey, value: {part}}}"
        found.append(Edit(CONTRACT, column, column.replace(end, key)))
    return found


def mark(settings: Settings) -> None:
    path = settings.principals_dir / ENERGY / CONTRACT
    for edit in columns_of(path.read_text()):
        change(path, edit.old, edit.new)


def drop_namesakes(night: Night, years: Iterable[int] = ()) -> None:
    """Two share name and birth date, a third has the name only, and there is Piet; two more for each of the years."""
    header, *lines = night.contacts.read_text().splitlines()
    names = header.split(";")
    first, last, born, phone, email = map(names.index, ("first_name", "last_name", "birth_date", "phone", "email"))
    zoe = ("Zoë", "Van den Bossche")
    people = [(*zoe, "03/04/1980")] * 2 + [(*zoe, "04/04/1980"), ("Piet", "Peeters", "04/04/1980")]
    people += [(*zoe, f"03/04/{year}") for year in years for _ in range(2)]
    whole = [line.split(";") for line in lines if '"' not in line and line.count(";") == header.count(";")]
    rows = whole[: len(people)]
    for number, (row, person) in enumerate(zip(rows, people, strict=True)):
        row[0], row[phone], row[email] = (
            f"E{90 + number:08d}",
            f"0470123{450 + number}",
            f"namesake{number}@mail.example",
        )
        row[first], row[last], row[born] = person
    night.desk.drop(("\r\n".join([header, *(";".join(row) for row in rows)]) + "\r\n").encode(), "namesakes.csv")
    night.desk.work()


def namesakes(settings: Settings, folder: Path) -> None:
    """Contacts of a contract that marks name and birth date; two share both, and a third has the name only."""
    settings = with_papers(settings, folder)
    mark(settings)
    with open_night(settings, folder) as opened:
        drop_namesakes(opened)


night = night_fixture(lambda opened: drop_namesakes(opened, YEARS), papers=mark)


def found(night: Night, name: str = "VAN DEN BOSSCHE Zoe", born: str = "1980-04-03") -> list[Any]:
    house = night.desk.house
    return list(find_candidates(house, Sought(name, born), [ENERGY, Principal("telecom01")]).candidates)


def of_year(night: Night, year: int) -> list[Any]:
    return found(night, born=f"{year}-04-03")


def newest(night: Night) -> ExchangeId:
    return ExchangeId(list_exchanges(night.desk.house.conn, direction=Direction.INBOUND)[0].id)


def suppressions(night: Night) -> int:
    [row] = night.desk.sql("select count(*) as n from suppression_run")
    return int(row["n"])


def in_rows_with(night: Night, ref: str) -> set[str]:
    """Every reference in accepted rows that bear this one."""
    house = night.desk.house
    copy = get_copy(house.conn, newest(night), "lake")
    rows = pl.read_parquet(io.BytesIO(house.objects.read(copy.bucket, copy.key, copy.version_id)))
    bearing = [set(row) - {None} for row in rows.select(pl.col("^sluice_ref_.*$")).rows()]
    return set().union(*(row for row in bearing if ref in row))


def suppressed_in(night: Night) -> set[str]:
    found = find_suppressed(night.desk.house, ENERGY)
    return set() if found is None else set(found["ref"])


def index_entries(night: Night) -> pl.DataFrame:
    house = night.desk.house
    copy = get_copy(house.conn, newest(night), "index")
    return pl.read_parquet(io.BytesIO(house.objects.read(copy.bucket, copy.key, copy.version_id)))


def test_two_of_one_name_and_birth_date_are_two_candidates_and_nothing_happens(night: Night) -> None:
    house = night.desk.house

    candidates = found(night)

    assert len(candidates) == 2 and {each.principal for each in candidates} == {"energy01"}
    assert [sum(place.rows for place in each.places) for each in candidates] == [1, 1]
    shown, words = repr(candidates).casefold(), ("bossche", "zoë", "03/04/1980", "1980-04-03", "047012345", "e0000009")
    assert not [word for word in words if word in shown]
    assert store.list_cases(house.conn, limit=None) == []
    assert {found(night, "Piet Peeters", "4/4/1980")[0].candidate}.isdisjoint({each.candidate for each in candidates})


def test_nobody_of_that_name_is_a_zero_hit_answer_with_what_was_searched(night: Night) -> None:
    names = [ENERGY, Principal("telecom01")]
    search = find_candidates(night.desk.house, Sought("Nemo Niemand", "1980-04-03"), names)

    assert (search.candidates, search.searched, search.unmarked) == ((), ("energy01",), ("telecom01",))
    assert found(night, born="1980-04-05") == [], "the same name, born on another day"
    for wrong in (Sought("", "1980-04-03"), Sought("Zoë Van den Bossche", "geen")):
        with pytest.raises(IdentifierInvalid) as refused:
            find_candidates(night.desk.house, wrong, names, 7)
        assert "name and birth date 7" in str(refused.value) and "Bossche" not in str(refused.value)


def test_a_confirmed_candidate_is_one_person_and_the_namesake_stays(night: Night) -> None:
    house, (one, other) = night.desk.house, of_year(night, 1981)
    known = identifier_of(house, ENERGY, one.candidate)
    assert known.kind is SubjectKind.PRINCIPAL_CUSTOMER_ID
    case = asked(night, "", known.value)

    foreseen = draft(house, case.case_id, "planner", now()).report
    assert {line.rows_before - line.rows_after for line in foreseen.lines} == {1}
    assert run(house, case.case_id, now()).residual == 0

    assert [each.candidate for each in of_year(night, 1981)] == [other.candidate]
    assert CANDIDATE_CODE in index_entries(night)["kind"].to_list()


def test_the_last_of_a_name_leaves_no_entry_in_the_index(night: Night) -> None:
    house = night.desk.house
    ref = candidate_ref(house.subject_key(ENERGY), normal_candidate(("Piet Peeters",), "1980-04-04") or "")

    def entries() -> int:
        copy = get_copy(house.conn, newest(night), "index")
        return find_in_run(house.objects.read(copy.bucket, copy.key, copy.version_id), [ref]).height

    assert entries() == 1
    [only] = found(night, "Piet Peeters", "04/04/1980")
    case = asked(night, "", identifier_of(house, ENERGY, only.candidate).value)
    assert run(house, case.case_id, now()).residual == 0

    assert entries() == 0
    assert found(night, "Piet Peeters", "04/04/1980") == []
    assert len(found(night)) == 2, "others of the same file are found as before"


def test_the_commands_take_names_from_a_file_and_show_none(
    night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "person.tsv").write_text("Zoë Van den Bossche\t03/04/1982\nNemo Niemand\t1980-04-03\n")
    with at_terminal(night.desk, monkeypatch):
        told = sluice("subject", "candidates", str(tmp_path / "person.tsv")).document
        name = f"energy01:{told['persons'][0]['candidates'][0]['candidate']}"
        opened = sluice("case", "open", "--right", "erasure", "--candidate", name).document
        wrong = sluice("case", "open", "--right", "erasure", "--candidate", f"energy01:{'0' * 32}")
        nobody = sluice("case", "open", "--right", "erasure")
    assert [len(each["candidates"]) for each in told["persons"]] == [2, 0]
    assert "energy01" in told["searched"] and told["stores"] == ["subject index", "lake"]
    assert not [word for word in ("Bossche", "03/04/1982", "1982-04-03") if word in json.dumps(told)]
    assert (wrong.exit, nobody.exit) == (1, 2)

    case = store.get_case(night.desk.house.conn, opened["case"])
    assert (case.state, case.principal) == (State.RECEIVED, "energy01")
    sealed = open_sealed(night.desk.house, case.subject_key).envelope
    assert [each.kind for each in sealed.identifiers] == [SubjectKind.PRINCIPAL_CUSTOMER_ID]


def waiting(night: Night, name: str = "Zoë Van den Bossche", born: str = "03/04/1980") -> CaseId:
    """A case that waits, because it names only a name and a birth date."""
    request = NewRequest(Right.ERASURE, [], None, now(), "letter", "nl", DESK, sought=Sought(name, born))
    return open_case(night.desk.house, request, now()).case_id


def go_on(night: Night, case_id: CaseId) -> None:
    settle_identity(night.desk.house.conn, case_id, True, Order(DESK, now(), "IDENTITY_SHOWN", "ab" * 32))


def say(night: Night, case_id: CaseId, *chosen: tuple[Principal, str]) -> Case:
    house = night.desk.house
    return confirm_candidate(house, case_id, chosen, now(), "anna")


def test_a_case_of_a_name_alone_waits_and_nothing_is_done_to_anybody(night: Night) -> None:
    before, house, case_id = suppressions(night), night.desk.house, waiting(night)
    case = store.get_case(house.conn, case_id)

    assert (case.sub_cases, case.persons) == ((), 1) and case.due.legal_due > case.due.received, "its clock runs"
    assert len(candidates_of(house, case_id).candidates) == 2
    with pytest.raises(TransitionRefused):
        go_on(night, case_id)
    with pytest.raises(NotDecided):
        run(house, case_id, now())
    assert draft(house, case_id, "planner", now()).report.lines == ()
    assert suppressions(night) == before and len(found(night)) == 2, "they are all there"
    late = [action.what for action in due_actions([case], now() + timedelta(days=90))]
    assert late == [Due.BREACH], "a case that waits too long is late like any other"


def test_a_confirmed_case_goes_on_about_that_person_only(night: Night) -> None:
    house, case_id, (one, other) = night.desk.house, waiting(night, born="03/04/1983"), of_year(night, 1983)
    before, out = store.get_case(house.conn, case_id), suppressed_in(night)

    case = say(night, case_id, (ENERGY, one.candidate))

    assert {part.principal for part in case.sub_cases} == {"energy01"} and all(part.has_hit for part in case.sub_cases)
    assert case.due == before.due and case.subject_key != before.subject_key
    assert verify_ledger(house.conn, public_pem=house.keyring.public_pem).valid
    envelope = open_sealed(house, store.get_case(house.conn, case_id).subject_key).envelope
    assert envelope.identifiers == (identifier_of(house, ENERGY, one.candidate),)
    held = house.conn.execute("select count(*) as n from suppression_run where case_id = %s", (case_id,)).fetchone()
    assert held == {"n": 2}, "now the person is held, and what their rows tie to them"
    assert suppressed_in(night) - out == in_rows_with(night, one.candidate)
    go_on(night, case_id)
    with pytest.raises(CaseNotWaiting):
        say(night, case_id, (ENERGY, other.candidate))


def test_nobody_of_them_is_answered_as_somebody_unknown(night: Night) -> None:
    before, house, case_id = suppressions(night), night.desk.house, waiting(night, born="03/04/1984")

    case = say(night, case_id)

    assert [part.agreement_id for part in case.sub_cases] == [None]
    assert suppressions(night) == before
    go_on(night, case_id)
    assert store.get_case(house.conn, case_id).state is State.SCOPED


def test_only_a_candidate_of_the_case_can_be_confirmed(night: Night) -> None:
    case_id = waiting(night)
    other = of_year(night, 1982)[0]

    for wrong in ((ENERGY, other.candidate), (ENERGY, "0" * 32), (Principal("telecom01"), found(night)[0].candidate)):
        with pytest.raises(NotFound):
            say(night, case_id, wrong)
    assert store.get_case(night.desk.house.conn, case_id).sub_cases == ()


def test_a_worker_that_died_while_confirming_is_followed_by_one_that_finishes(night: Night) -> None:
    house, case_id, (one, other) = night.desk.house, waiting(night, born="03/04/1985"), of_year(night, 1985)
    before = suppressions(night)
    with locked(house, "suppression_run"), pytest.raises(DatabaseError):
        say(night, case_id, (ENERGY, one.candidate))
    assert store.get_case(house.conn, case_id).sub_cases == (), "sealed, and not taken up"

    with pytest.raises(CaseNotWaiting):
        say(night, case_id, (ENERGY, other.candidate))
    assert suppressions(night) == before, "nobody was held"
    assert say(night, case_id, (ENERGY, one.candidate)).sub_cases


def test_a_confirmed_withdrawal_reaches_what_was_said_and_no_further(night: Night) -> None:
    house, (one, _) = night.desk.house, of_year(night, 1986)
    sought = Sought("Zoë Van den Bossche", "03/04/1986")
    asked = NewRequest(Right.CONSENT_WITHDRAWAL, [], ENERGY, now(), "letter", "nl", DESK, sought=sought)
    case = open_case(house, replace(asked, contact_channel="sms"), now())

    say(night, case.case_id, (ENERGY, one.candidate))

    rows = night.desk.sql(f"select reason, bases, channel from suppression_run where case_id = '{case.case_id}'")
    assert {row["reason"] for row in rows} == {"consent_withdrawn"}
    assert rows[0] == {"reason": "consent_withdrawn", "bases": [CONSENT], "channel": "sms"}


def test_a_principals_file_of_a_name_waits_for_a_person_and_then_is_about_that_one_only(night: Night) -> None:
    house, bucket = night.desk.house, night.desk.settings.bucket_exchange
    known, out = {each.case_id for each in store.list_cases(house.conn, limit=None)}, suppressed_in(night)
    said = b"name;birth_date\nZo\xc3\xab Van den Bossche;03/04/1987\n"
    put = house.objects.put(bucket, f"{ENERGY}/requests/erasure-one.csv", said, "text/csv")

    assert read_requests(house, now()).requests == {"READ": 1}
    told = json.loads(house.objects.read(bucket, f"{ENERGY}/notices/request-{put.version_id}.json"))
    [case] = [each for each in store.list_cases(house.conn, limit=None) if each.case_id not in known]
    assert (told["outcome"], told["cases"], case.sub_cases) == ("READ", [], ())
    assert suppressed_in(night) == out, "nobody is held"
    with pytest.raises(NotDecided):
        run(house, case.case_id, now())
    found = candidates_of(house, case.case_id).candidates
    assert len(found) == 2, "two of one name and birth date"

    chosen = (found[0].principal, found[0].candidate)
    case = confirm_candidate(house, case.case_id, [chosen], now(), "anna")
    held = suppressed_in(night) - out
    assert case.sub_cases and held == in_rows_with(night, found[0].candidate), "and not the namesake"
    assert in_rows_with(night, found[1].candidate).isdisjoint(held)
