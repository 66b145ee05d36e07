"""Somebody who has a principal's S3 key and not its signing key cannot make an old word of it count again."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rights.prefix import asked, put, sweep
from sluice.ledger.append import canonical
from sluice.ledger.record import Part
from sluice.ledger.sign import sign
from sluice.rights.case import store
from sluice.rights.case.model import Action, State, SubCase
from sluice.rights.instruction_rules import KEY_FILE, TYPE
from sluice.settings import Settings
from support.desk import Desk, open_desk


class Erase(Part):
    case: str
    decision: str = "erase"


class EraseThese(Erase):
    fields: tuple[str, ...]


class Refuse(Part):
    case: str
    decision: str = "refuse"
    reason: str = "A17LegallyRequired"


@dataclass(frozen=True)
class Signer:
    """A principal that signs; ``desk`` knows its key."""

    desk: Desk
    key: Ed25519PrivateKey

    def signed(self, said: Part) -> bytes:
        return sign(canonical(said), self.key, TYPE).compact

    def outcome(self, content: bytes) -> str:
        """What becomes of a file with this content."""
        put(self.desk, "instruction-x.json", content)
        [outcome] = sweep(self.desk).instructions
        return outcome

    def part(self, part: SubCase) -> tuple[State, Action | None]:
        found = store.find_part(self.desk.house.conn, part.sub_case_id)
        assert found is not None
        return found.state, found.action


@pytest.fixture
def signer(store_settings: Settings, tmp_path: Path) -> Iterator[Signer]:
    papers, key = tmp_path / "papers", Ed25519PrivateKey.generate()
    shutil.copytree(store_settings.principals_dir, papers)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (papers / "energy01" / KEY_FILE).write_bytes(pem)
    with open_desk(store_settings, tmp_path) as opened:
        settings = opened.settings.model_copy(update={"principals_dir": papers})
        yield Signer(Desk(replace(opened.house, settings=settings), tmp_path), key)


@pytest.mark.parametrize("first", [b"", b"\n", b"\r\n"])
def test_a_signed_word_that_was_taken_back_counts_in_no_spelling(signer: Signer, first: bytes) -> None:
    part = asked(signer.desk)
    erase, refuse = signer.signed(Erase(case=part.sub_case_id)), signer.signed(Refuse(case=part.sub_case_id))
    assert signer.outcome(erase + first) == "INSTRUCTED"
    assert signer.outcome(refuse) == "CONTRADICTS"

    again = [signer.outcome(each) for each in (erase, erase + b"\n", erase + b"\r\n")]
    padded = [signer.outcome(each) for each in (erase + b" ", erase + b"\n\n", b"\n" + erase, erase + b"\t\r\n")]

    assert (again, padded) == (["REPLAYED"] * 3, ["WRONG_SIGNATURE"] * 4)
    assert signer.part(part) == (State.ESCALATED, None)
    anew = signer.signed(EraseThese(case=part.sub_case_id, fields=tuple(part.field_groups)))
    assert signer.outcome(anew) == "INSTRUCTED", "the control: what its key signs anew counts"


def test_what_was_said_before_the_last_word_stops_nothing_and_counts_no_more(signer: Signer) -> None:
    part = asked(signer.desk)
    refuse = signer.signed(Refuse(case=part.sub_case_id))
    anew = signer.signed(EraseThese(case=part.sub_case_id, fields=tuple(part.field_groups)))
    assert signer.outcome(signer.signed(Erase(case=part.sub_case_id))) == "INSTRUCTED"
    assert signer.outcome(refuse) == "CONTRADICTS"
    assert signer.outcome(anew) == "INSTRUCTED"

    assert [signer.outcome(refuse), signer.outcome(refuse)] == ["REPLAYED", "REPLAYED"]

    assert signer.part(part) == (State.INSTRUCTED, Action.ERASE)


def test_what_contradicts_may_be_said_again_while_it_is_the_last_word(signer: Signer) -> None:
    """The control: without anything after it, it is the principal's answer when it is called."""
    part = asked(signer.desk)
    refuse = signer.signed(Refuse(case=part.sub_case_id))
    assert signer.outcome(signer.signed(Erase(case=part.sub_case_id))) == "INSTRUCTED"
    assert [signer.outcome(refuse), signer.outcome(refuse)] == ["CONTRADICTS", "INSTRUCTED"]
    assert signer.part(part) == (State.INSTRUCTED, Action.REFUSE)
