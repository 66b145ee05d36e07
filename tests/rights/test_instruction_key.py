"""A principal that signs its instructions signs them for good, whatever becomes of the file with its key."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rights.prefix import Spoken, asked, put, states, sweep
from sluice.ledger.append import canonical
from sluice.ledger.sign import sign
from sluice.rights.case.model import State
from sluice.rights.instruction_rules import KEY_FILE, TYPE
from sluice.settings import Settings
from support.desk import Desk, open_desk


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    papers = tmp_path / "papers"
    shutil.copytree(store_settings.principals_dir, papers)
    with open_desk(store_settings, tmp_path) as opened:
        settings = opened.settings.model_copy(update={"principals_dir": papers})
        yield Desk(replace(opened.house, settings=settings), tmp_path)


def test_without_the_file_no_instruction_is_followed_and_none_is_lost(desk: Desk) -> None:
    part, key = asked(desk), Ed25519PrivateKey.generate()
    file = desk.settings.principals_dir / "energy01" / KEY_FILE
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    said = canonical(Spoken(case=part.sub_case_id, decision="erase"))
    file.write_bytes(pem)
    assert sweep(desk).failed == 0, "nothing is there yet; that there is a key is remembered"

    file.unlink()
    put(desk, "instruction-plain.json", said)
    put(desk, "instruction-signed.json", sign(said, key, TYPE).compact)
    done = sweep(desk)

    assert (done.instructions, done.failed) == ({}, 2)
    assert states(desk, part) is State.AWAITING_INSTRUCTION
    file.write_bytes(pem)
    assert sweep(desk).instructions == {"WRONG_SIGNATURE": 1, "INSTRUCTED": 1}, "once it is back"


def test_who_never_had_a_key_needs_none(desk: Desk) -> None:
    part = asked(desk)
    (desk.settings.principals_dir / "telecom01" / KEY_FILE).write_bytes(b"of another")
    put(desk, "instruction-plain.json", {"case": part.sub_case_id, "decision": "erase"})
    assert sweep(desk).instructions == {"INSTRUCTED": 1}
