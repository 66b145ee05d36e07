"""When an agreement is over its keys go, by two persons; what was copied before cannot be tied to anybody any more."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import polars as pl
import psycopg
import pytest
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding

from returns.commands import at_terminal, sluice
from rights.destroying import ENERGY, GAS, NAMES, because, emptied, end_agreement, now, planted
from rights.destroying import admin_url as admin_url  # the fixtures
from rights.destroying import erased as erased
from rights.destroying import town as town
from rights.everywhere import in_folder, in_tables
from rights.instructing import lent
from rights.residue import Searcher
from rights.town import DESK, SHA, Person, Town
from sluice.errors import NotFound
from sluice.exchange.house import open_house
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.keys import QUARANTINE, SUBJECT, KeyDestroyed, Keyring
from sluice.ledger.sign import key_id
from sluice.ledger.verify import verify as verify_ledger
from sluice.retention.consents import drop_consents
from sluice.retention.holds import hold, lift
from sluice.retention.model import HoldReason
from sluice.rights.case.model import Action, Case, Order, Right
from sluice.rights.case.steps import withdraw
from sluice.rights.consents.file import Said
from sluice.rights.consents.keep import record_consent
from sluice.rights.destroy import ASKED_COUNTS_FOR, KeyKept, ask, confirm_destruction, finish, list_lines
from sluice.rights.erasure.preflight import preflight
from sluice.rights.notices.tell import tell
from sluice.subject.index import find_in_run
from sluice.subject.key import SubjectKey
from sluice.subject.refs import refer
from sluice.terms import Principal, SubjectKind
from support.crash import Victim, dying
from support.effort import effort

POINTS = effort(4, 10)


@pytest.fixture
def victim(town: Town) -> Iterator[Victim]:
    """Confirms for a principal and dies at a step: principal, step, what."""
    with dying(town.desk.settings, "erasure") as once:
        yield once


def copied(town: Town, principal: Principal) -> list[bytes]:
    """What a thief, or a backup, has of a principal: every version of its index, and of who must stay out."""
    bucket, found = town.desk.settings.bucket_lake, []
    for prefix in (f"_subject_index/{principal}/", f"_suppressions/{principal}/"):
        versions = town.house.objects.list_versions(bucket, prefix)
        found += [town.house.objects.read(bucket, item.key, item.version_id) for item in versions]
    return found


def secrets_left(town: Town) -> set[bytes]:
    """Every key that can be made of what lies in the folder of keys, whatever it was for, with the master key."""
    master, found = town.house.keyring.master, set()
    for path in town.desk.settings.keys_dir.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found |= {content, content[:32], bytes.fromhex(content.decode()) if path.suffix == ".destroyed" else b""}
            wrapping = town.house.keyring._wrapping(Principal(path.parent.name), path.name.partition(".")[0])
            for key in (master, wrapping):
                with suppress(InvalidUnwrap, ValueError):
                    found.add(aes_key_unwrap_with_padding(key, content))
    return found - {b""}


def tied(town: Town, copies: Iterable[bytes], principal: Principal, keys: Iterable[bytes]) -> set[int]:
    """Which of the people can be recognised in the copies by whoever knows all about them, and has these keys."""
    copies, found = list(copies), set()
    for key in keys:
        for person in town.people:
            refs = refs_of(key, person, principal)
            if any(knows(content, refs) for content in copies):
                found.add(person.number)
    return found


def refs_of(key: bytes, person: Person, principal: Principal) -> list[str]:
    given = {SubjectKind.PHONE: person.phone, SubjectKind.PRINCIPAL_CUSTOMER_ID: person.record(principal)}
    return [ref for kind, value in given.items() if (ref := refer(SubjectKey(key), kind, value).ref)]


def knows(content: bytes, refs: list[str]) -> bool:
    frame = pl.read_parquet(BytesIO(content))
    if "reason" in frame.columns:
        return bool(frame["ref"].is_in(refs).any())
    return find_in_run(content, refs).height > 0


def key_of(town: Town, principal: Principal) -> Searcher:
    """Finds the subject key itself, as bytes, hexadecimal or base64, in anything."""
    import base64

    key = town.house.keyring.subject_key(principal)
    return Searcher([["the key"]], lambda _: iter([key, key.hex().encode(), base64.b64encode(key)[:-1]]))


@pytest.mark.evidence
def test_what_was_copied_before_cannot_be_tied_to_a_person_afterwards(
    town: Town,
    erased: Case,
    admin_url: str,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    everybody = {person.number for person in town.people}
    before = {name: copied(town, name) for name in (ENERGY, GAS)}
    searcher, key = key_of(town, ENERGY), town.house.keyring.subject_key(ENERGY)
    fingerprint = town.house.keyring.fingerprint(ENERGY, SUBJECT)
    assert tied(town, before[ENERGY], ENERGY, secrets_left(town)) == everybody, "control: before, with the keys there"
    assert tied(town, before[GAS], GAS, secrets_left(town)) == everybody
    end_agreement(admin_url, ENERGY)
    emptied(town)

    ask(town.house, ENERGY, "an", now())
    done = confirm_destruction(town.house, ENERGY, "bert", now())

    assert done.destroyed_at is not None and (done.asked_by, done.confirmed_by) == ("an", "bert")
    left = secrets_left(town)
    assert key not in left and len(left) > 4
    assert tied(town, before[ENERGY], ENERGY, left) == set()
    assert tied(town, before[GAS], GAS, left) == everybody, "control: the other principal's key is still there"
    assert tied(town, before[ENERGY], ENERGY, {key}) == everybody, "control: the copy would still tell, with the key"
    tables, files = in_tables(admin_url, searcher), in_folder(town.desk.settings.var, searcher)
    assert {place for place, who in (tables | files).items() if who} == set()
    (town.desk.settings.var / "planted").write_bytes(b"x" + key)
    assert in_folder(town.desk.settings.var, searcher)["planted"] == {0}, "control: a key that lies about is found"
    (town.desk.settings.var / "planted").unlink()
    [entry] = town.desk.sql(
        "select convert_from(body, 'UTF8')::json as body from ledger.entry where kind = 'key.destroyed'"
    )
    assert entry["body"]["fingerprints"][SUBJECT] == fingerprint
    assert entry["body"]["kept_out"] > 0
    assert verify_ledger(town.house.conn, public_pem=town.house.keyring.public_pem).valid
    record_property(
        "Keys destroyed: persons tied to a copy of the index made before",
        f"{len(everybody)} of {len(everybody)} before, 0 after; with the other principal's keys {len(everybody)}",
    )
    with at_terminal(town.desk, monkeypatch):
        afterwards_nothing_makes_the_key_again_and_everything_else_goes_on(town)


def afterwards_nothing_makes_the_key_again_and_everything_else_goes_on(town: Town) -> None:
    with open_house(town.desk.settings) as fresh:
        for attempt in (
            lambda: fresh.subject_key(ENERGY),
            lambda: fresh.keyring.quarantine_identity(ENERGY),
            lambda: fresh.keyring.openpgp_key(ENERGY),
        ):
            with pytest.raises(KeyDestroyed, match="SLU-117"):
                attempt()
        with pytest.raises(KeyDestroyed):
            ask(fresh, ENERGY, "carl", now())
        assert preflight(fresh) == ()
    again = town.ask(town.people[1])
    assert {part.principal for part in again.sub_cases} == {GAS}, "a request finds them where a key is left"
    withdraw(town.house.conn, again.case_id, Order(DESK, now(), "WITHDRAWN", SHA))
    assert find_suppressed(town.house, GAS) is not None, "who was erased stays out there"
    assert sluice("subject", "ref", "phone", town.people[1].phone, "--principal", ENERGY).error == "SLU-117"
    document = sluice("keys", "list").document
    assert document["receipt_key"] == key_id(town.house.keyring.public)
    listed = document["keys"]
    states = {(each["principal"], each["purpose"]): each["state"] for each in listed}
    assert states[ENERGY, SUBJECT] == states[ENERGY, QUARANTINE] == "destroyed"
    assert states[GAS, SUBJECT] == "there" == states["_cases", QUARANTINE]
    [gas] = [each for each in listed if (each["principal"], each["purpose"]) == (GAS, SUBJECT)]
    assert set(gas["obstacles"]) >= {"AGREEMENT_IN_FORCE", "COPIES_LEFT"}
    assert len(gas["fingerprint"]) == 64
    assert sluice("suppression", "check", f"phone:{town.people[0].phone}").document["suppressed"]


def test_records_of_consent_keep_the_key_without_which_nobody_can_be_given_theirs(
    town: Town, erased: Case, admin_url: str
) -> None:
    person, at = {"phone": town.people[1].phone}, now().isoformat()
    said = Said(person, "P-RENEW", "voice", "refused", at, "call", "W-7", "center")
    assert record_consent(town.house, ENERGY, said, "anna", now()).is_new
    end_agreement(admin_url, ENERGY)
    town.house.conn.execute("update copy set gone_at = now()")

    assert because(town) == "COPIES_LEFT"

    assert drop_consents(town.house, now() + timedelta(days=1200), ENERGY) == (1, 0)
    ask(town.house, ENERGY, "an", now())


def test_what_came_after_the_first_word_stops_the_second(
    town: Town, erased: Case, admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at_terminal(town.desk, monkeypatch):
        assert sluice("keys", "destroy", ENERGY, "--by", "an").error == "SLU-565"
        end_agreement(admin_url, ENERGY)
        emptied(town)
        assert sluice("keys", "destroy", ENERGY, "--by", "an").document["confirmed_by"] is None
        until = now().date() + ASKED_COUNTS_FOR
        hold(town.house.conn, ENERGY, HoldReason.LEGAL_CLAIMS, "C-2", until, "an", now())
        assert sluice("keys", "confirm", ENERGY, "--by", "bert").error == "SLU-565"
        assert town.house.subject_key(ENERGY)
        assert sluice("keys", "destroy", "_cases", "--by", "an").exit != 0, "the center's own never go"


@pytest.mark.evidence
def test_killed_anywhere_a_rerun_destroys_the_rest_and_says_it_once(
    town: Town,
    erased: Case,
    admin_url: str,
    victim: Victim,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """Each round puts the folder of keys back as it was: a test can, an installation cannot."""
    end_agreement(admin_url, ENERGY)
    emptied(town)
    keys, saved = town.desk.settings.keys_dir / ENERGY, tmp_path / "saved"
    shutil.copytree(keys, saved)
    killed, steps = 0, 200
    for point in range(POINTS + 1):
        ask(town.house, ENERGY, "an", now())
        was_killed, counted = victim(ENERGY, 0 if point == 1 else 1 + point * (steps - 1) // (POINTS + 1), "destroy")
        steps = counted if point == 1 else steps
        killed += was_killed
        is_said = said(town) > point
        assert not (is_said and list(keys.glob("*.wrapped"))), "nobody says that a key is gone while it is there"

        if point % 2 and is_confirmed(town):
            assert finish(town.house, now())[1] == 0, "the clock finishes it too"
        else:
            confirm_destruction(town.house, ENERGY, "carl", now())

        assert said(town) == point + 1 and list(keys.glob("*.wrapped")) == []
        with pytest.raises(KeyDestroyed):
            Keyring.open(town.desk.settings).subject_key(ENERGY)
        shutil.rmtree(keys)
        shutil.copytree(saved, keys)
        with closing(psycopg.connect(admin_url, autocommit=True)) as conn:
            conn.execute("delete from sluice.key_destruction")
    assert killed >= POINTS - 1
    record_property("SIGKILL while keys are destroyed: finished by a rerun", f"{killed} of {killed}")


def is_confirmed(town: Town) -> bool:
    return bool(town.desk.sql("select 1 from key_destruction where confirmed_at is not null"))


def said(town: Town) -> int:
    [row] = town.desk.sql("select count(*) as n from ledger.entry where kind = 'key.destroyed'")
    return int(str(row["n"]))


def ask_to_erase(town: Town) -> None:
    """A person asks both principals, so that they are kept out until the case is over."""
    town.ask(town.people[2])


def hold_for_a_claim(town: Town) -> None:
    until = now().date() + ASKED_COUNTS_FOR * 2
    hold(town.house.conn, ENERGY, HoldReason.LEGAL_CLAIMS, "C-1", until, "an", now())


def lift_the_hold(town: Town) -> None:
    hold_for_a_claim(town)
    [held] = town.desk.sql("select hold_id from legal_hold")
    lift(town.house.conn, str(held["hold_id"]), "an", now())


def open_a_file(town: Town) -> None:
    """A file has arrived and is opened, but no slot has judged it yet."""
    town.desk.drop(b"x\n", "later.csv", (ENERGY, "renewal_campaign"))
    assert town.desk.open_new() == 1


def owe_a_notice(town: Town) -> None:
    """A person who is in a return objects; whoever got the return is told, and has not answered yet."""
    town.give_back(ENERGY, [town.people[1]])
    town.decided(town.people[1], Right.OBJECTION, Action.STOP)
    assert tell(town.house, now()).sent >= 1


def keep_a_copy_of_a_later_kind(town: Town) -> None:
    """Retention has removed everything, but for a copy of a kind that no code of today makes: so by SQL."""
    emptied(town)
    town.house.conn.execute(
        """insert into copy (exchange_id, kind, bucket, key, version_id, sha256, size_bytes)
           select exchange_id, 'of_a_later_kind', c.bucket, c.key, c.version_id, c.sha256, c.size_bytes from copy c
           join exchange e using (exchange_id) where kind = 'arrived' and principal = 'energy01' limit 1"""
    )


def nothing_more(_: Town) -> None:
    """Leave the town as it is."""


shared = lent(planted, names=NAMES)


@pytest.mark.parametrize(
    ("happens", "obstacles"),
    [
        (nothing_more, ["COPIES_LEFT"]),
        (ask_to_erase, ["CASE_OPEN", "HOLD_STANDS", "COPIES_LEFT"]),
        (hold_for_a_claim, ["HOLD_STANDS", "COPIES_LEFT"]),
        (lift_the_hold, ["COPIES_LEFT"]),
        (owe_a_notice, ["CASE_OPEN", "HOLD_STANDS", "RECIPIENT_NOT_DONE", "COPIES_LEFT"]),
        (open_a_file, ["EXCHANGE_OPEN", "COPIES_LEFT"]),
        (keep_a_copy_of_a_later_kind, ["COPIES_LEFT"]),
        (emptied, []),
    ],
)
def test_each_thing_that_is_not_over_keeps_the_keys(
    request: pytest.FixtureRequest, happens: Callable[[Town], None], obstacles: list[str]
) -> None:
    takes_away = happens in (emptied, keep_a_copy_of_a_later_kind, open_a_file)
    town: Town = request.getfixturevalue("town" if takes_away else "shared")
    url = town.desk.settings.database_admin_url
    assert because(town) == "AGREEMENT_IN_FORCE" and url is not None
    happens(town)
    end_agreement(url.get_secret_value(), ENERGY)

    [key] = [line for line in list_lines(town.house, now()) if (line.principal, line.purpose) == (ENERGY, SUBJECT)]
    assert list(key.obstacles) == obstacles
    if obstacles:
        assert because(town) == obstacles[0]
    else:
        assert ask(town.house, ENERGY, "an", now()).asked_by == "an", "control: with nothing left it may be asked"


def test_only_a_second_person_confirms_and_only_while_the_request_counts(
    town: Town, erased: Case, admin_url: str
) -> None:
    conn = town.house.conn
    end_agreement(admin_url, ENERGY)
    emptied(town)
    ask(town.house, ENERGY, "an", now())

    for by, reason in ((" AN", "ASKED_IT"), ("bert", "NOBODY_ASKED")):
        at = now() if by == " AN" else now() + ASKED_COUNTS_FOR * 1.1
        with pytest.raises(KeyKept, match=reason):
            confirm_destruction(town.house, ENERGY, by, at)
    with pytest.raises(KeyKept, match="NOBODY_ASKED"):
        confirm_destruction(town.house, GAS, "bert", now())
    with pytest.raises(NotFound) as unknown:
        confirm_destruction(town.house, Principal("0475987654"), "bert", now())
    assert "0475" not in str(unknown.value), "a number in the wrong place is not repeated"
    assert town.house.subject_key(ENERGY), "nothing went"
    refused = town.desk.sql(
        "select chain, convert_from(body, 'UTF8')::json as body from ledger.entry "
        "where kind = 'key.destruction_refused'"
    )
    said = [(row["chain"], row["body"]["asked_by"], row["body"]["reason"]) for row in refused]
    assert said == [("principal.energy01", "AN", "ASKED_IT")], "of who wanted to be both, and of nobody else"
    assert verify_ledger(conn, public_pem=town.house.keyring.public_pem).valid
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute("""update key_destruction set confirmed_by = 'An', confirmed_at = now(), fingerprints = '{}'""")
