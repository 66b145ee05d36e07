"""The role statement says of every column whose it is, and breaks when anything in it is touched."""

import json

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from documents.samples import EXCHANGE, GDPR, PD, a_record
from documents.test_receipt import payload_of
from sluice.documents.statement import (
    METADATA_KEY,
    TYPE,
    RoleUnstated,
    StatementTooEarly,
    make_statement,
    parquet_metadata,
    state_roles,
    verify_statement,
)
from sluice.documents.verify import verify_receipt
from sluice.keys import Keyring
from sluice.ledger.model import PublicKeyInvalid, SignatureInvalid
from sluice.ledger.record import ColumnLine, CopyLine, ExchangeRecord
from sluice.ledger.sign import Signed, encode, sign, split_flattened
from sluice.terms import Decision, Direction

ENTRY = "d1" * 32
WARNING = "SEED_OWNER_WITHOUT_SIGN_OFF"
RETURN = CopyLine(
    kind="return",
    bucket="exchange",
    key="energy01/outbound/renewal/2026-11-24.csv",
    version_id=None,
    sha256="5e" * 32,
    size_bytes=12_345,
    rows=412,
    retention_rule="RET-01",
    delete_after="2027-02-23",
)


def line(name: str, source: str | None, profile: str = "SEED_OWNER", **parts: str | None) -> ColumnLine:
    ours = profile == "SEED_OWNER"
    stated: dict[str, str | None] = {
        "field_group": "disposition" if ours else "identity",
        "category": f"{PD}Communication",
        "origin": "agent_made" if ours else "provided",
        "role_profile": profile,
        "retention_rule": "RET-01",
        "controller": "center" if ours else "principal",
        "processor": "principal" if ours else "center",
        "owner_label": "center" if ours else "principal",
        "legal_basis": f"{GDPR}A6-1-f",
        "basis_holder": "center" if ours else "principal",
        "source": source,
    }
    return ColumnLine(name=name, **(stated | parts))


COLUMNS = (
    line("vendor_lead_code", "contacts.vendor_lead_code", "PRINCIPAL_CONTROLLER"),
    line("result", "results.disposition"),
    line("note", "results.note", "INDEPENDENT", controller="both", processor=None, owner_label="each"),
)


def a_return(decision: Decision = Decision.ACCEPTED, **what: object) -> ExchangeRecord:
    record = a_record(decision, **({"columns": COLUMNS} | what))
    kept = record.how_long.model_copy(update={"copies": (RETURN,)})
    return record.model_copy(update={"direction": Direction.OUTBOUND_RETURN, "how_long": kept})


@pytest.fixture(scope="module")
def jws(keyring) -> bytes:
    return make_statement(
        a_return(),
        ENTRY,
        keyring,
        profile_warnings=(WARNING,),
        screened_for=("health", "payment_card"),
        neutralised={"note": 3},
    )


def test_the_statement_repeats_roles_papers_and_file(jws, keyring):
    said, record = verify_statement(jws, keyring.public_pem), a_return()

    assert (said.exchange, said.principal, said.direction) == (EXCHANGE, "energy01", "outbound_return")
    assert (said.agreement.id, said.agreement.version, said.agreement.sha256) == ("DPA-ENERGY01", "3.0.0", "aa" * 32)
    assert (said.contract.id, said.contract.version) == (record.how.contract_id, record.how.contract_version)
    assert [(file.name, file.sha256, file.rows) for file in said.files] == [("2026-11-24.csv", "5e" * 32, 412)]
    assert said.warnings == (WARNING,)
    assert said.screened_for == ("health", "payment_card")
    assert said.entry_hash == ENTRY


def test_every_column_says_whose_it_is_and_who_supplied_it(jws, keyring):
    echoed, ours, note = verify_statement(jws, keyring.public_pem).columns

    assert (echoed.supplied_by, echoed.controller, echoed.processor) == ("principal", "principal", "center")
    assert (ours.supplied_by, ours.controller, ours.processor) == ("center", "center", "principal")
    assert (ours.owner_label, ours.basis_holder, ours.role_profile) == ("center", "center", "SEED_OWNER")
    assert (note.processor, note.neutralised_cells, ours.neutralised_cells) == (None, 3, 0)


def test_the_same_record_gives_the_same_bytes(jws, keyring):
    again = make_statement(
        ExchangeRecord.model_validate_json(a_return().model_dump_json()),
        ENTRY,
        keyring,
        profile_warnings=(WARNING,),
        screened_for=("health", "payment_card"),
        neutralised={"note": 3},
    )

    assert again == jws


ROLE = ("controller", "owner_label", "legal_basis", "basis_holder", "origin", "role_profile", "retention_rule")


def test_a_column_without_a_whole_role_or_from_nowhere_is_named_and_stops_the_statement(keyring):
    roleless = [(*COLUMNS, line("extra", "results.extra", **{part: None})) for part in ROLE]
    strays = [(line("extra", source),) for source in (None, "", "results", "results.", "elsewhere.note")]
    for columns in (*roleless, *strays):
        with pytest.raises(RoleUnstated, match="column extra"):
            make_statement(a_return(columns=columns), ENTRY, keyring)


def test_there_is_no_statement_before_there_is_a_file(keyring):
    with pytest.raises(StatementTooEarly, match=EXCHANGE):
        make_statement(a_return(Decision.OPEN), ENTRY, keyring)
    with pytest.raises(StatementTooEarly, match=EXCHANGE):
        make_statement(a_record(columns=COLUMNS), ENTRY, keyring)


def test_parquet_carries_the_roles_without_what_depends_on_its_own_bytes(jws, keyring):
    whole = verify_statement(jws, keyring.public_pem)
    early = state_roles(a_return(), profile_warnings=(WARNING,), screened_for=("health", "payment_card"))

    inside = json.loads(parquet_metadata(whole)[METADATA_KEY])

    assert (inside["files"], inside["entry_hash"]) == ([], None)
    assert [column["controller"] for column in inside["columns"]] == ["principal", "center", "both"]
    assert parquet_metadata(early) == parquet_metadata(whole)


@pytest.mark.slow
def test_one_bit_at_every_position_is_refused(jws, keyring):
    passed = []
    for at in range(len(jws)):
        try:
            verify_statement(jws[:at] + bytes([jws[at] ^ 1]) + jws[at + 1 :], keyring.public_pem)
            passed.append(at)
        except SignatureInvalid:
            pass

    assert passed == []


def test_a_field_changed_under_the_old_signature_is_refused(jws, keyring):
    parts = split_flattened(jws)
    said = payload_of(jws)
    said["columns"][1]["controller"] = "principal"

    forged = Signed(parts.protected, encode(rfc8785.dumps(said)), parts.signature).flattened

    with pytest.raises(SignatureInvalid):
        verify_statement(forged, keyring.public_pem)


def test_another_key_is_refused(jws, keyring):
    thief = Keyring(keyring.directory, keyring.master, Ed25519PrivateKey.generate())

    with pytest.raises(SignatureInvalid):
        verify_statement(make_statement(a_return(), ENTRY, thief), keyring.public_pem)
    with pytest.raises(SignatureInvalid):
        verify_statement(jws, thief.public_pem)
    with pytest.raises(PublicKeyInvalid):
        verify_statement(jws, b"no key")


def test_a_receipt_is_no_statement_and_a_statement_no_receipt(jws, receipt, keyring):
    with pytest.raises(SignatureInvalid):
        verify_statement(receipt.jws, keyring.public_pem)

    assert not verify_receipt(jws, keyring.public_pem, None).valid


def altered_payloads(said: dict) -> dict[str, dict]:
    return {
        "empty": {},
        "a key too many": {**said, "note": "x"},
        "a key too few": {name: value for name, value in said.items() if name != "warnings"},
        "another version": {**said, "format": "sluice-role-statement-2"},
        "a number as text": {**said, "files": [{**said["files"][0], "size_bytes": "12345"}]},
        "no file": {**said, "files": []},
        "no ledger entry": {**said, "entry_hash": None},
        "a column without controller": {**said, "columns": [{**said["columns"][0], "controller": None}]},
    }


def test_signed_by_us_but_no_statement_is_refused(jws, keyring):
    for payload in altered_payloads(payload_of(jws)).values():
        with pytest.raises(SignatureInvalid):
            verify_statement(sign(rfc8785.dumps(payload), keyring.signing, TYPE).flattened, keyring.public_pem)
    again = sign(rfc8785.dumps(payload_of(jws)), keyring.signing, TYPE).flattened
    assert verify_statement(again, keyring.public_pem) == verify_statement(jws, keyring.public_pem), "the control"
