"""An instruction counts once, from whom it must come from and signed for good, or is refused, recorded and answered."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from returns.deliveries import open_shops
from rights.prefix import Spoken, asked, notice, put, states, sweep
from rights.prefix import desk as desk  # the fixture
from sluice.ledger.append import canonical
from sluice.ledger.record import Part
from sluice.ledger.sign import sign
from sluice.rights.case import store
from sluice.rights.case.model import Action, Right, State, SubCase
from sluice.rights.instruction_rules import KEY_FILE, TYPE, parse_instruction
from sluice.settings import Settings
from support.desk import Desk, open_desk

UNKNOWN = "7b0d3f1e-2c00-4e51-9d44-1f0c5f3a7b10"


def reasons_of(told: dict[str, object]) -> list[dict[str, object]]:
    found = told["reasons"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        {"case": UNKNOWN},
        {"case": "x", "decision": "erase"},
        {"case": UNKNOWN, "decision": "forget"},
        {"case": UNKNOWN, "decision": "erase", "note": "please"},
        {"case": UNKNOWN, "decision": "erase", "fields": "identity"},
        {"case": UNKNOWN, "decision": "refuse", "reasons": ["x"]},
        {"case": UNKNOWN, "decision": ["erase"]},
        {"case": UNKNOWN, "decision": "erase", "ground": "because"},
        {"case": UNKNOWN, "decision": "erase", "ground": ["unlawful"]},
        {"case": UNKNOWN, "decision": "refuse", "reason": "A17LegalClaims", "ground": "unlawful"},
        {"case": 7, "decision": "erase"},
    ],
    ids=str,
)
def test_anything_else_is_no_instruction(said: object) -> None:
    assert parse_instruction(said, datetime.now(UTC)) is None


def test_an_instruction_that_is_not_right_is_refused_recorded_and_answered(desk: Desk) -> None:
    part, others = asked(desk), asked(desk, principal="telecom01")
    reason = {"reason": "A17LegallyRequired"}
    cases: list[tuple[str, dict[str, object], str, str]] = [
        ("energy01", {"case": UNKNOWN, "decision": "erase"}, "UNKNOWN_CASE", "UNKNOWN_CASE"),
        ("energy01", {"case": others.sub_case_id, "decision": "erase"}, "OTHER_PRINCIPAL", "UNKNOWN_CASE"),
        ("telecom01", {"case": part.sub_case_id, "decision": "erase"}, "OTHER_PRINCIPAL", "UNKNOWN_CASE"),
        ("energy01", {"case": part.case_id, "decision": "erase"}, "UNKNOWN_CASE", "UNKNOWN_CASE"),
        ("energy01", {"case": part.sub_case_id, "decision": "export"}, "NOT_ADMITTED", "NOT_ADMITTED"),
        ("energy01", {"case": part.sub_case_id, "decision": "refuse"}, "NOT_ADMITTED", "NOT_ADMITTED"),
        ("energy01", {"case": part.sub_case_id, "decision": "erase", "fields": ["x"]}, "NOT_ADMITTED", "NOT_ADMITTED"),
        ("energy01", {"case": part.sub_case_id, "decision": "refuse", "reason": "no"}, "NOT_ADMITTED", "NOT_ADMITTED"),
        ("energy01", {"case": part.sub_case_id}, "UNREADABLE", "UNREADABLE"),
        ("energy01", {"case": part.sub_case_id, "decision": "forget"}, "UNREADABLE", "UNREADABLE"),
        ("energy01", {"case": "4711", "decision": "erase"}, "UNREADABLE", "UNREADABLE"),
    ]
    unreadable = [("MEMBER_MISSING", "decision"), ("UNKNOWN_DECISION", "decision"), ("NO_CASE_NUMBER", "case")]
    names = [f"instruction-{n}.json" for n in range(len(cases) - 1)] + ["instruction-10010447.json"]
    items = [put(desk, name, said, who) for name, (who, said, _, _) in zip(names, cases, strict=True)]

    done = sweep(desk)

    assert sum(done.instructions.values()) == len(cases) and "INSTRUCTED" not in done.instructions
    rows = desk.sql(
        "select convert_from(body, 'UTF8') as body from ledger.entry where kind = 'case.instruction_refused'"
    )
    bodies = [json.loads(str(row["body"])) for row in rows]
    recorded = {body["version_id"]: body["outcome"] for body in bodies}
    keys = {body["version_id"]: body["key"] for body in bodies}
    assert [keys[item.version_id] for item in items[:-1]] == [item.key for item in items[:-1]]
    assert keys[items[-1].version_id] == "energy01/requests/[name withheld]", "a customer's number, perhaps"
    for item, (who, _, outcome, told) in zip(items, cases, strict=True):
        assert recorded[item.version_id] == outcome
        answer = notice(desk, "instruction", item, who)
        assert answer["outcome"] == told
        assert (answer["case"] is None) == (told == "UNKNOWN_CASE" or outcome == "UNREADABLE")
        why = [(each["code"], each["member"]) for each in reasons_of(answer)]
        assert why == ([unreadable.pop(0)] if outcome == "UNREADABLE" else [])
    assert states(desk, part) == states(desk, others) == State.AWAITING_INSTRUCTION
    put(desk, "instruction-last.json", {"case": part.sub_case_id, "decision": "refuse", **reason})
    assert sweep(desk).instructions == {"INSTRUCTED": 1}


def test_an_instruction_counts_once(desk: Desk) -> None:
    part = asked(desk)
    said: dict[str, object] = {"case": part.sub_case_id, "decision": "erase"}
    put(desk, "instruction-1.json", said)
    assert sweep(desk).instructions == {"INSTRUCTED": 1}

    put(desk, "instruction-2.json", said)
    put(desk, "instruction-3.json", {**said, "fields": list(part.field_groups)})

    assert sweep(desk).instructions == {"REPLAYED": 1, "NOT_AWAITED": 1}
    found = store.find_part(desk.house.conn, part.sub_case_id)
    assert found is not None and found.action is Action.ERASE

    put(desk, "instruction-4.json", {**said, "decision": "restrict"})
    assert sweep(desk).instructions == {"CONTRADICTS": 1}, "it takes back what was said, reasons or not"
    found = store.find_part(desk.house.conn, part.sub_case_id)
    assert found is not None and found.action is None

    part = asked(desk, Right.DIRECT_MARKETING)
    said = {"case": part.sub_case_id, "decision": "refuse", "reason": "A12ManifestlyUnfounded"}
    put(desk, "instruction-5.json", said)
    assert sweep(desk).instructions == {"NOT_ADMITTED": 1}, "nobody can instruct to go on with direct marketing"


def test_where_a_key_is_known_the_signature_decides(desk: Desk, tmp_path: Path) -> None:
    part, key = asked(desk), Ed25519PrivateKey.generate()
    said = canonical(Spoken(case=part.sub_case_id, decision="erase"))
    good = sign(said, key, TYPE).compact
    put(desk, "instruction-early.json", good)
    assert sweep(desk).instructions == {"WRONG_SIGNATURE": 1}, "no key is known that could check it"
    folder = tmp_path / "principals"
    (folder / "energy01").mkdir(parents=True)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "energy01" / KEY_FILE).write_bytes(pem)
    keyed = Desk(
        desk.house.__class__(**{**desk.house.__dict__, "settings": with_folder(desk.settings, folder)}), tmp_path
    )
    forged = sign(said, Ed25519PrivateKey.generate(), TYPE).compact
    for number, content in enumerate((said, forged, sign(said, key, "other+jws").compact, good[:-4] + b"AAAA")):
        put(desk, f"instruction-{number}.json", content)

    assert sweep(keyed).instructions == {"WRONG_SIGNATURE": 4}

    put(desk, "instruction-good.json", good + b"\n")
    assert sweep(keyed).instructions == {"INSTRUCTED": 1}


def with_folder(settings: Settings, folder: Path) -> Settings:
    return settings.model_copy(update={"principals_dir": folder})


def test_the_prefix_is_the_proof_because_nobody_else_writes_there(desk: Desk, service_var: Path) -> None:
    part = asked(desk)
    said = json.dumps({"case": part.sub_case_id, "decision": "erase"}).encode()
    with open_shops(desk, service_var) as shops:
        put_as: Callable[[str], object] = lambda who: shops[who].client.put_object(  # noqa: E731
            Bucket=desk.settings.bucket_exchange, Key="energy01/requests/instruction-1.json", Body=said
        )
        with pytest.raises(ClientError, match="AccessDenied"):
            put_as("telecom01")
        assert sweep(desk).instructions == {}
        put_as("energy01")
        assert sweep(desk).instructions == {"INSTRUCTED": 1}
        assert shops["energy01"].notice(f"case-{part.sub_case_id}")["case"] == part.sub_case_id
        with pytest.raises(ClientError, match="AccessDenied"):
            shops["telecom01"].client.get_object(
                Bucket=desk.settings.bucket_exchange, Key=f"energy01/notices/case-{part.sub_case_id}.json"
            )


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


def test_a_signed_word_that_was_taken_back_counts_in_no_spelling(signer: Signer) -> None:
    for first in (b"", b"\n", b"\r\n"):
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

    part = asked(signer.desk)  # the control: without anything after it, it is the principal's answer when it is called
    refuse = signer.signed(Refuse(case=part.sub_case_id))
    assert signer.outcome(signer.signed(Erase(case=part.sub_case_id))) == "INSTRUCTED"
    assert [signer.outcome(refuse), signer.outcome(refuse)] == ["CONTRADICTS", "INSTRUCTED"]
    assert signer.part(part) == (State.INSTRUCTED, Action.REFUSE)


def test_without_the_file_with_its_key_no_instruction_is_followed_and_none_is_lost(signer: Signer) -> None:
    """Whatever becomes of the file; who never had a key needs none."""
    desk, part = signer.desk, asked(signer.desk)
    file = desk.settings.principals_dir / "energy01" / KEY_FILE
    pem, said = file.read_bytes(), canonical(Spoken(case=part.sub_case_id, decision="erase"))
    assert sweep(desk).failed == 0, "nothing is there yet; that there is a key is remembered"

    file.unlink()
    put(desk, "instruction-plain.json", said)
    put(desk, "instruction-signed.json", sign(said, signer.key, TYPE).compact)
    done = sweep(desk)

    assert (done.instructions, done.failed) == ({}, 2)
    assert states(desk, part) is State.AWAITING_INSTRUCTION
    file.write_bytes(pem)
    assert sweep(desk).instructions == {"WRONG_SIGNATURE": 1, "INSTRUCTED": 1}, "once it is back"
    other = asked(desk, principal="telecom01")
    put(desk, "instruction-plain.json", {"case": other.sub_case_id, "decision": "erase"}, "telecom01")
    assert sweep(desk).instructions == {"INSTRUCTED": 1}
