"""Access (GDPR Art. 15): all of the person, nothing of anyone else, and whose answer it is."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from answers.giving import WE_GIVE, Package, cells_of, folder_of, give, now, read, street_fixtures
from rights.town import DESK, SHA, Person, Town, open_town, papers_of, town_fixture
from sluice.answers.make import PackageWish, _hand_out, make
from sluice.answers.model import AnotherRight, AnswerKind, FolderTaken, NothingToGive
from sluice.documents.words import words
from sluice.ledger.verify import verify as verify_ledger
from sluice.rights.case.model import Action, Case, Order, Right, State
from sluice.rights.case.steps import decide
from sluice.rights.case.store import get_case
from sluice.rights.copies.answer_store import index_key_of
from sluice.rights.person.rectify import ask, carry_out
from sluice.rights.person.wanted import Wanted
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind

ENERGY, SOLAR = Principal("energy01"), Principal("solar01")


def plant(town: Town) -> None:
    """Of every four the second and third are customers of both, and the first three were called for the first."""
    town.arrive(ENERGY, town.people)
    town.arrive(SOLAR, [each for each in town.people if each.number % 4 in (1, 2)])
    town.give_back(ENERGY, [each for each in town.people if each.number % 4 < 3])


whole = town_fixture([ENERGY, SOLAR], 4 * 18, plant, WE_GIVE)
streets, town = street_fixtures(4)


@pytest.fixture
def their_town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    """Here the principal answers itself."""
    with open_town(papers_of(store_settings, tmp_path, [ENERGY]), tmp_path, [ENERGY], 4) as opened:
        opened.arrive(ENERGY, opened.people)
        opened.give_back(ENERGY, opened.people[:3])
        yield opened


def asked(town: Town, number: int) -> Case:
    return town.decided(town.people[number], Right.ACCESS, Action.GIVE)


def packages(town: Town, case: Case) -> list[str]:
    there = town.house.objects.list_versions(town.desk.settings.bucket_vault, f"_answers/{case.case_id}/")
    return [item.key for item in there]


def is_said(package: Package, value: str) -> bool:
    return json.dumps(value, ensure_ascii=False)[1:-1] in package.text


def test_everything_of_the_person_is_given_and_nothing_of_anyone_else(town: Town) -> None:
    case = asked(town, 0)

    package = read(town.house, give(town.house, case.case_id))

    mine = cells_of(town, 0)
    personal = ("phone", "email", "last_name", "street")
    assert [name for name, value in mine.items() if value and not is_said(package, value)] == []
    assert is_said(package, town.people[0].record(ENERGY))
    for other in (1, 2, 3):
        theirs = cells_of(town, other)
        assert [name for name in personal if theirs[name] != mine[name] and is_said(package, theirs[name])] == []
        assert not is_said(package, town.people[other].record(ENERGY))
    assert "agent01" not in package.text and "agent 1" in package.text
    document = package.json("access.json")
    assert document["information"][0]["recipients"] == ["Energy One NV"], "the return went to it"
    assert document["information"][0]["processors"] == ["Object Store BV"]
    assert document["information"][0]["retention"] and document["information"][0]["purposes"]
    assert package.files["access.pdf"].startswith(b"%PDF")


def test_the_manifest_lists_every_store_and_the_hash_of_every_file(town: Town) -> None:
    package = read(town.house, give(town.house, asked(town, 0).case_id))

    manifest = package.json("manifest.json")
    hits = {line["store"]: line["copies_naming_the_person"] for line in manifest["stores"]}
    assert hits["lake"] and hits["files as they came"] and hits["files as they went out"] and hits["subject index"]
    assert hits["quarantine"] == 0 == hits["anything else"], "stores without a hit are listed"
    sums = dict(reversed(line.split("  ")) for line in package.files["SHA256SUMS"].decode().splitlines())
    assert set(sums) == set(package.files) - {"SHA256SUMS"}
    assert all(hashlib.sha256(package.files[name]).hexdigest() == said for name, said in sums.items())
    listed = {line["path"]: line["sha256"] for line in manifest["files"]}
    assert set(listed) == set(sums) - {"manifest.json"} and all(sums[name] == said for name, said in listed.items())


def test_what_a_principal_decides_is_forwarded_with_proof_and_not_answered(their_town: Town) -> None:
    case = asked(their_town, 0)

    made = give(their_town.house, case.case_id)

    package, mine = read(their_town.house, made), cells_of(their_town, 0)
    document = package.json("access.json")
    assert [each["company"] for each in document["forwarded"]] == ["Energy One NV"]
    assert len(document["forwarded"][0]["ledger_entry"]) == 64
    assert {line.group for line in made.fields if line.included} >= {"call_event", "disposition"}
    said = [line for line in made.fields if line.name in ("last_name", "email", "street")]
    assert said and {line.reason for line in said} == {"FORWARDED_TO_CONTROLLER"}
    assert [name for name in ("email", "last_name", "street") if is_said(package, mine[name])] == []


def test_an_answer_through_one_principal_says_nothing_of_the_other(town: Town, tmp_path: Path) -> None:
    case, target = asked(town, 1), tmp_path / "through"

    both = read(town.house, give(town.house, case.case_id))
    make(town.house, case.case_id, AnswerKind.ACCESS, now(), DESK, PackageWish(target, only=ENERGY))

    one, person = folder_of(target), town.people[1]
    assert is_said(both, person.record(SOLAR)) and is_said(both, person.record(ENERGY))
    assert is_said(one, person.record(ENERGY)) and not is_said(one, person.record(SOLAR))
    assert "Solar" not in one.text and SOLAR not in one.text
    assert {path.stat().st_mode & 0o077 for path in target.rglob("*")} == {0}


def test_in_a_household_what_bears_no_number_is_withheld_rows_and_records(town: Town) -> None:
    """Two customers share a telephone; a row without a number and a broken record may be of either."""
    first, second = town.people[0], town.people[3]
    shared = second.line.replace(second.phone, first.phone)
    lines = [town.head, f"E77770001;{shared}", f";{shared}", f"E77770002;{shared};too;many;cells"]
    town.desk.drop("\n".join(lines).encode() + b"\n", "shared.csv", (ENERGY, "renewal_campaign"))
    town.desk.work()

    package = read(town.house, give(town.house, asked(town, 0).case_id))

    theirs, mine = cells_of(town, 3), cells_of(town, 0)
    personal = ("email", "last_name", "street")
    assert [name for name in personal if theirs[name] != mine[name] and is_said(package, theirs[name])] == []
    assert not is_said(package, "E77770001") and not is_said(package, "E77770002")
    assert is_said(package, first.record(ENERGY))
    assert package.json("manifest.json")["withheld"]["rows"] >= 3


def test_a_note_that_quotes_another_person_is_withheld(town: Town) -> None:
    head, person = town.head.split(";"), town.people[0]
    cells = dict(zip(head, f"{person.record(ENERGY)};{person.line}".split(";"), strict=True))
    for name, note in (("a.csv", "bel haar zus op 0475 99 88 77"), ("b.csv", f"mailt zelf: {cells['email']}")):
        row = ";".join((cells | {"note": note}).values())
        town.desk.drop(f"{town.head}\n{row}\n".encode(), name, (ENERGY, "renewal_campaign"))
    town.desk.work()

    package = read(town.house, give(town.house, asked(town, 0).case_id))

    assert "99 88 77" not in package.text and "mailt zelf" in package.text
    assert package.json("manifest.json")["withheld"]["notes"] == 1


def test_nothing_is_given_before_somebody_decided_and_no_other_right(town: Town) -> None:
    case = town.ask(town.people[0], Right.ACCESS)
    with pytest.raises(NothingToGive):
        give(town.house, case.case_id)
    with pytest.raises(AnotherRight):
        give(town.house, case.case_id, AnswerKind.PORTABILITY)
    assert town.desk.objects(town.desk.settings.bucket_vault) != [] and packages(town, case) == []
    decide(town.house.conn, case.case_id, State.ACCEPTED, Order(DESK, now(), "ACCEPTED", SHA, action=Action.GIVE))
    assert give(town.house, case.case_id).answer.rows > 0


def test_what_the_person_had_corrected_stands_in_every_copy_that_is_given(town: Town) -> None:
    person, wrong = town.people[0], cells_of(town, 0)["street"]
    rectification = town.ask(person, Right.RECTIFICATION)
    ask(town.house, rectification.case_id, Wanted({"street": "Rechtstraat 77"}, now()))
    for part in rectification.sub_cases:
        carry_out(town.house, rectification, part, now())

    package = read(town.house, give(town.house, asked(town, 0).case_id))
    other = read(town.house, give(town.house, asked(town, 2).case_id))

    streets = package.table("data/contact_point.csv")["street"].drop_nulls()
    assert set(streets) == {"Rechtstraat 77"} and not is_said(package, wrong)
    assert not is_said(other, "Rechtstraat 77") and is_said(other, cells_of(town, 2)["street"])


def test_what_the_person_says_to_an_opinion_stands_beside_it(town: Town) -> None:
    cells = {"customer_number": town.people[0].record(ENERGY), **cells_of(town, 0), "note": "was not friendly"}
    row = ";".join(cells.values())
    town.desk.drop(f"{town.head}\n{row}\n".encode(), "again.csv", (ENERGY, "renewal_campaign"))
    town.desk.work()
    rectification = town.ask(town.people[0], Right.RECTIFICATION)
    ask(town.house, rectification.case_id, Wanted({"note": "I was ill, ask 0475 99 88 77"}, now()))
    for part in rectification.sub_cases:
        carry_out(town.house, rectification, part, now())

    package = read(town.house, give(town.house, asked(town, 0).case_id))
    other = read(town.house, give(town.house, asked(town, 2).case_id))

    notes = package.table("data/note_free_text.csv").filter(pl.col("note") == "was not friendly")
    assert set(notes["note_statement"]) == {"I was ill, ask 0475 99 88 77"}
    page = " ".join(package.json("access.json")["text"])
    assert "Uw verklaring bij: " in page and "I was ill" in page
    assert not is_said(other, "I was ill")


def test_a_folder_is_whole_or_not_there(town: Town, tmp_path: Path) -> None:
    case = asked(town, 0)
    (tmp_path / "file").write_text("x")
    for taken in (tmp_path / "file" / "in", tmp_path):
        with pytest.raises(FolderTaken):
            make(town.house, case.case_id, AnswerKind.ACCESS, now(), DESK, PackageWish(taken))
    source, target = tmp_path / "source", tmp_path / "out"
    (source / "data").mkdir(parents=True)
    (source / "data" / "a.csv").write_text("a")
    (source / "gone.csv").symlink_to("/proc/self/mem")  # a file that cannot be copied

    with pytest.raises(FolderTaken):
        _hand_out(source, target)

    assert not target.exists() and not [path for path in tmp_path.iterdir() if path.name.startswith(".out")]
    (source / "gone.csv").unlink()
    _hand_out(source, target)
    assert (target / "data" / "a.csv").read_text() == "a"


def test_each_making_is_logged_and_replaces_the_one_before(town: Town) -> None:
    case = asked(town, 0)
    first, second = (give(town.house, case.case_id) for _ in range(2))

    vault = packages(town, case)
    assert sorted(vault) == sorted([second.answer.key, index_key_of(second.answer.key)])
    assert first.answer.key not in vault
    rows = town.desk.sql("select kind, convert_from(body, 'UTF8') as body from ledger.entry where kind like 'answer.%'")
    kinds = [row["kind"] for row in rows if case.case_id in str(row["body"])]
    assert kinds == ["answer.made", "answer.made", "answer.removed"]
    assert verify_ledger(town.house.conn, public_pem=town.house.keyring.public_pem).valid
    assert get_case(town.house.conn, case.case_id).state is State.SCOPED


PHONE, NUMBER = SubjectKind.PHONE, SubjectKind.PRINCIPAL_CUSTOMER_ID
CAMPAIGN = f"{ENERGY}.inbound.renewal_campaign"


@pytest.fixture
def two_phones(town: Town) -> Town:
    """One more file knows the first person by their customer number and another telephone."""
    town.arrive(ENERGY, [other_phone(town)], "second.csv")
    return town


def other_phone(town: Town) -> Person:
    return town.people[0].under_phone_of(town.people[3])


def asked_by(town: Town, kind: SubjectKind, value: str) -> Case:
    return town.agree(town.opened(Right.ACCESS, [(kind, value)]), Action.GIVE)


def test_rows_under_a_number_that_was_not_given_are_told_with_how_to_get_them(two_phones: Town) -> None:
    package = read(
        two_phones.house, give(two_phones.house, asked_by(two_phones, PHONE, two_phones.people[0].phone).case_id)
    )

    assert not is_said(package, two_phones.people[3].phone)
    document = package.json("access.json")
    [line] = document["withheld"]["by_dataset"]
    assert (line["company"], line["dataset"], line["why"]) == ("Energy One NV", CAMPAIGN, "unasked")
    assert document["withheld"]["counts"] == {"unasked": line["count"]} and line["count"] == 2, "lake and file"
    assert package.json("manifest.json")["withheld_by_dataset"] == [line]
    assert words("nl").say("answer.withheld.how.unasked") in " ".join(document["text"])


def test_whoever_gives_the_number_gets_all_and_is_told_of_nothing(two_phones: Town) -> None:
    package = read(
        two_phones.house,
        give(two_phones.house, asked_by(two_phones, NUMBER, two_phones.people[0].record(ENERGY)).case_id),
    )

    assert is_said(package, two_phones.people[0].phone) and is_said(package, two_phones.people[3].phone)
    assert package.json("access.json")["withheld"] == {
        "reason": package.json("access.json")["withheld"]["reason"], "counts": {}, "by_dataset": [],
    }  # fmt: skip


def test_rows_of_a_telephone_beside_ones_number_are_told_unless_they_bear_somebody_elses(two_phones: Town) -> None:
    """By number: a row of the second telephone without a number may be theirs, one of another customer is not."""
    line = other_phone(two_phones).line
    lines = [two_phones.head, f";{line}", f"E77770001;{line}"]
    two_phones.desk.drop("\n".join(lines).encode() + b"\n", "third.csv", (ENERGY, "renewal_campaign"))
    two_phones.desk.work()

    package = read(
        two_phones.house,
        give(two_phones.house, asked_by(two_phones, NUMBER, two_phones.people[0].record(ENERGY)).case_id),
    )

    [told] = package.json("access.json")["withheld"]["by_dataset"]
    assert told["why"] == "unasked" and told["count"] > 0 and not is_said(package, "E77770001")


def test_a_household_is_told_what_of_which_data_set_is_left_out(two_phones: Town) -> None:
    first = two_phones.people[0]
    shared = two_phones.people[2].under_phone_of(first)
    two_phones.arrive(ENERGY, [shared], "shared.csv")

    package = read(two_phones.house, give(two_phones.house, asked_by(two_phones, PHONE, first.phone).case_id))

    told = [(each["dataset"], each["why"]) for each in package.json("access.json")["withheld"]["by_dataset"]]
    assert (CAMPAIGN, "rows") in told
    assert words("nl").say("answer.withheld.how.rows") in " ".join(package.json("access.json")["text"])
    mine = cells_of(two_phones, 0)
    assert not is_said(package, mine["last_name"]), "nobody can tell who of them asks"


ANSWERS = "answers to persons"
STRANGER = "0470 99 88 77"


def asked_in_english(town: Town, phone: str) -> Case:
    return town.agree(town.opened(Right.ACCESS, [(SubjectKind.PHONE, phone)], ENERGY, language="en"), Action.GIVE)


def stores(package: Package) -> dict[str, tuple[int, int]]:
    """By store how many copies were searched, and how many name the person."""
    lines: list[dict[str, Any]] = package.json("manifest.json")["stores"]
    return {each["store"]: (each["copies_searched"], each["copies_naming_the_person"]) for each in lines}


def test_who_is_a_stranger_is_one_in_the_second_package_too(town: Town) -> None:
    case = asked_in_english(town, STRANGER)
    first, second = (read(town.house, give(town.house, case.case_id)) for _ in range(2))
    assert first.json("access.json")["confirmation"] is False
    assert second.json("access.json")["confirmation"] is False
    assert stores(second) == stores(first) and not any(hits for _, hits in stores(second).values())


def test_a_known_person_reads_of_answers_to_other_requests_and_not_of_this_one(town: Town) -> None:
    case, other = (asked_in_english(town, town.people[0].phone) for _ in range(2))
    first, second = (stores(read(town.house, give(town.house, case.case_id))) for _ in range(2))
    assert second == first and first["lake"][1] > 0
    assert first[ANSWERS] == (0, 0)
    assert stores(read(town.house, give(town.house, other.case_id)))[ANSWERS][1] == 1, "the newer of the other's"
