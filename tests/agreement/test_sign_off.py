"""A role profile that could be contested is signed off: by whom, why, from when on; by two where the paper says so."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agreement.papers import AGREEMENT, PRINCIPALS, write_folder
from sluice.agreement.document import read_document
from sluice.agreement.folder.build import build_agreement
from sluice.agreement.in_force.activate import activate_all, activate_principal
from sluice.agreement.in_force.store import find_agreement, in_force, list_agreements
from sluice.agreement.papers import Paper
from sluice.agreement.roles.contestable import find_contestable
from sluice.agreement.roles.matrix import matrix_of
from sluice.agreement.roles.sign_off import SignOffRefused, sign_off
from sluice.agreement.roles.sign_off_store import SignOff, insert_sign_off, list_sign_offs
from sluice.db import Connection, connect_to
from sluice.errors import NotFound, UsageError
from sluice.ledger.verify import verify
from sluice.terms import Direction, Flow, Principal, RoleProfile
from support.stores import Database, Databases

pytestmark = pytest.mark.stores
NOW, TODAY = datetime(2026, 11, 25, 12, tzinfo=UTC), date(2026, 11, 25)
LATER = NOW + timedelta(hours=1)
PAPER, VERSION = "DPA-ENERGY01", "3.0.0"
NOBODY, REVERSE = "SEED_OWNER_NO_SIGN_OFF", "SEED_OWNER_NO_REVERSE_ART28"
TWO = AGREEMENT.replace("seedOwner: {signOff: null", "seedOwner: {twoPersonSignOff: true, signOff: null")


@pytest.fixture(scope="module")
def shared(databases: Databases) -> Iterator[Database]:
    with databases.fresh() as fresh:
        yield fresh


@pytest.fixture
def conn(shared: Database) -> Iterator[Connection]:
    """All that a test does is undone after it."""
    with connect_to(shared.app_url) as connection, connection.transaction(force_rollback=True):
        yield connection


@pytest.fixture
def alone(database: Database) -> Iterator[Connection]:
    """In no transaction, so that a ledger can be verified."""
    with connect_to(database.app_url) as connection:
        yield connection


def sign(conn: Connection, by: str = "anna", reason: str = "BOARD_2026_11", **other: str) -> bool:
    """Whether the profile is signed off then."""
    version, profile = other.get("version", VERSION), RoleProfile(other.get("profile", "SEED_OWNER"))
    done = sign_off(conn, other.get("paper", PAPER), version, profile, by, LATER, reason=reason)
    return done.is_seed_owner_signed_off


def warnings(conn: Connection, known_at: datetime) -> set[str]:
    """What every report of energy01 says of its roles, as the papers were known at a moment."""
    found = find_contestable(conn, TODAY, known_at)
    return {each.code for each in found if each.agreement_id == PAPER}


def warns(conn: Connection) -> bool:
    """Whether its own row says that nobody signed the profile off."""
    paper = find_agreement(conn, PAPER, TODAY, LATER)
    assert paper is not None
    return NOBODY in {code for row in matrix_of(paper, ()) for code in row.warnings}


def entries(conn: Connection, kind: str = "role.signed_off") -> list[dict[str, object]]:
    rows = conn.execute("select chain, body from ledger.entry where kind = %s order by seq", (kind,)).fetchall()
    return [{"chain": row["chain"], **json.loads(bytes(row["body"]))} for row in rows]


def test_it_ends_the_warning_from_then_on_and_the_ledger_has_who_and_why(conn: Connection) -> None:
    activate_all(conn, PRINCIPALS, NOW)
    assert warnings(conn, LATER) == {NOBODY, REVERSE}

    assert sign(conn)

    assert warnings(conn, LATER) == {REVERSE}, "a signature is no contract that goes the other way"
    assert warnings(conn, LATER - timedelta(seconds=1)) == {NOBODY, REVERSE}, "as it was known before"
    paper = find_agreement(conn, PAPER, TODAY, LATER)
    assert paper and {code for row in matrix_of(paper, ()) for code in row.warnings if "SEED" in code} == {REVERSE}
    for moment, is_signed in ((LATER, True), (NOW, False)):
        held = in_force(conn, Principal("energy01"), Direction.OUTBOUND_RETURN, Flow("renewal_results"), TODAY, moment)
        assert isinstance(held, Paper) and held.agreement.is_seed_owner_signed_off is is_signed, (
            "what records are made of"
        )
    known = [each.agreement for each in list_agreements(conn, LATER) if each.agreement.agreement_id == PAPER]
    assert {each.version: each.seed_owner_signers for each in known} == {VERSION: ("anna",), "2.4.0": ()}
    [entry] = entries(conn)
    assert entry == {
        "chain": "principal.energy01", "principal": "energy01", "agreement_id": PAPER, "agreement_version": VERSION,
        "agreement_sha256": paper.sha256, "role_profile": "SEED_OWNER", "number": 1, "needed": 1,
        "signed_by": "anna", "signed_at": "2026-11-25T13:00:00.000Z", "reason": "BOARD_2026_11",
    }  # fmt: skip


def test_two_people_sign_where_the_agreement_says_so(conn: Connection, tmp_path: Path) -> None:
    activate_principal(conn, write_folder(tmp_path, TWO), NOW)
    assert not sign(conn, "anna maes")
    assert warns(conn), "one of two is nobody"
    for same in ("anna maes", "Anna Maes", " anna maes ", "anna  maes", "anna\u00a0maes", "\uff21nna maes"):
        with pytest.raises(SignOffRefused, match="SAME_PERSON"):
            sign(conn, same)
    for nobody in ("", " ", "anna\u200bmaes", "anna m\u0430es", "anna maes\u2063", ", anna", "a" * 101):
        with pytest.raises(UsageError):
            sign(conn, nobody)
    assert sign(conn, "bert")
    assert not warns(conn)
    assert [(each.signed_by, each.reason) for each in list_sign_offs(conn, PAPER, LATER)] == [
        ("anna maes", "BOARD_2026_11"),
        ("bert", "BOARD_2026_11"),
    ]
    assert [(each["number"], each["needed"], each["signed_by"]) for each in entries(conn)] == [
        (1, 2, "anna maes"),
        (2, 2, "bert"),
    ]
    with pytest.raises(SignOffRefused, match="SIGNED_OFF"):
        sign(conn, "carla")


def test_the_same_person_twice_is_recorded_and_every_other_refusal_is_none(alone: Connection, tmp_path: Path) -> None:
    activate_principal(alone, write_folder(tmp_path, TWO), NOW)
    sign(alone, "anna maes")
    with pytest.raises(SignOffRefused, match="SAME_PERSON"):
        sign(alone, "Anna  Maes")

    assert entries(alone, "role.sign_off_refused") == [
        {
            "chain": "principal.energy01", "principal": "energy01", "agreement_id": PAPER, "agreement_version": VERSION,
            "role_profile": "SEED_OWNER", "asked_by": "Anna Maes", "refused_at": "2026-11-25T13:00:00.000Z",
            "reason": "SAME_PERSON",
        }
    ]  # fmt: skip
    assert [each["signed_by"] for each in entries(alone)] == ["anna maes"] and warns(alone), "it did not count"
    key = Ed25519PrivateKey.generate().public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert verify(alone, public_pem=pem).valid
    sign(alone, "bert")
    for profile in ("SEED_OWNER", "JOINT"):
        with pytest.raises(SignOffRefused, match=r"SIGNED_OFF|NEEDS_NONE"):
            sign(alone, "carla", profile=profile)
    assert len(entries(alone, "role.sign_off_refused")) == 1, "nobody wanted to be two"


def test_a_name_in_the_paper_is_not_two_people(tmp_path: Path) -> None:
    for two, is_signed in (("false", True), ("true", False)):
        owner = f"seedOwner: {{twoPersonSignOff: {two}, signOff: CEO"
        folder = write_folder(tmp_path / two, AGREEMENT.replace("seedOwner: {signOff: null", owner))
        document = read_document(folder / "agreement-3.0.0.yaml")
        assert build_agreement(document).is_seed_owner_signed_off is is_signed


def test_of_two_spellings_at_once_one_signs(database, tmp_path):
    with connect_to(database.app_url) as conn:
        activate_principal(conn, write_folder(tmp_path, TWO), NOW)

    def at_once(by: str) -> str:
        with connect_to(database.app_url) as own:
            try:
                return str(sign(own, by))
            except SignOffRefused as error:
                return str(error).partition("rule ")[2].partition(".")[0]

    with ThreadPoolExecutor(6) as pool:
        said = sorted(pool.map(at_once, ("anna", "Anna", " ANNA", "anna ", "\uff21nna", "aNNa")))
    assert said == ["False"] + ["SAME_PERSON"] * 5
    with connect_to(database.app_url) as conn:
        assert len(list_sign_offs(conn, PAPER, LATER)) == len(entries(conn)) == 1


def test_the_database_takes_one_signature_of_a_person_and_keeps_it(conn: Connection) -> None:
    insert_sign_off(conn, SignOff(PAPER, VERSION, "SEED_OWNER", "anna", NOW, "BOARD"))
    with pytest.raises(psycopg.errors.UniqueViolation, match="role_sign_off_four_eyes"), conn.transaction():
        insert_sign_off(conn, SignOff(PAPER, VERSION, "SEED_OWNER", "ANNA", LATER, "BOARD"))
    for change in ("update sluice.role_sign_off set signed_by = 'bert'", "delete from sluice.role_sign_off"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
            conn.execute(change.encode())


def test_what_needs_no_signature_gets_none(conn: Connection) -> None:
    activate_all(conn, PRINCIPALS, NOW)
    for profile in ("JOINT", "PRINCIPAL_CONTROLLER"):
        with pytest.raises(SignOffRefused, match="NEEDS_NONE"):
            sign(conn, profile=profile)
    with pytest.raises(NotFound):
        sign(conn, version="9.9.9")
    with pytest.raises(UsageError):
        sign(conn, reason="Jan Peeters agreed")
    assert entries(conn) == [] and list_sign_offs(conn, PAPER, LATER) == ()


def test_a_profile_that_no_field_has_is_not_signed_off(conn: Connection, tmp_path: Path) -> None:
    text = AGREEMENT.replace("roleProfile: SEED_OWNER", "roleProfile: PROCESSOR_ON_BEHALF")
    assert text != AGREEMENT
    activate_principal(conn, write_folder(tmp_path, text), NOW)
    with pytest.raises(SignOffRefused, match="NOT_USED"):
        sign(conn)
