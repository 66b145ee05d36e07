"""Whose every column is, against a table written by hand from the domain; and that a change spares the past."""

import csv
import io
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice.agreement.in_force.activate import activate_principal
from sluice.agreement.in_force.store import find_agreement
from sluice.agreement.roles.profiles import roles_for
from sluice.db import connect
from sluice.documents.statement import Statement, verify_statement
from sluice.exchange.read import ExchangeLine
from sluice.settings import Settings
from sluice.terms import Direction
from sluice.times import brussels_today
from support.night import (
    AGREEMENT,
    AT_ONCE,
    CALLED_AT,
    CONTRACT,
    RESULTS,
    Call,
    Edit,
    Night,
    call_log,
    open_night,
    with_papers,
)

pytestmark = pytest.mark.stores

Oracle = Mapping[str, tuple[str, str, str, str]]
ORACLE: Oracle = {
    "PRINCIPAL_CONTROLLER": ("principal", "center", "principal", "principal"),
    "SEED_OWNER": ("center", "principal", "center", "center and principal"),
    "PROCESSOR_ON_BEHALF": ("principal", "center", "principal", "principal"),
    "INDEPENDENT": ("both", "-", "each", "each"),
    "JOINT": ("joint", "-", "both", "as arranged (Art. 26)"),
    "STAFF": ("center", "vendor", "center", "center"),
}
"""Profile: controller, processor, owner label, who answers the person (domain.md, by hand)."""
TOLD = {
    "inbound": dict.fromkeys(ORACLE, ("center", "Object Store BV")),
    "internal": dict.fromkeys(ORACLE, ()),
    "outbound_return": {
        "PRINCIPAL_CONTROLLER": ("center",), "PROCESSOR_ON_BEHALF": ("center",), "SEED_OWNER": ("principal",),
        "INDEPENDENT": ("principal",), "JOINT": ("principal",), "STAFF": ("principal",),
    },
    "staff": dict.fromkeys(ORACLE, ("vendors",)),
    "portability_access": dict.fromkeys(ORACLE, ("next controller (Art. 20(2))",)),
    "notice": dict.fromkeys(ORACLE, ("every recipient", "upstream supplier on withdrawal")),
}  # fmt: skip
"""Direction, profile: who must be told, the parties by name where the agreement names them."""
GROUPS = (
    "identity", "contact_point", "contract", "financial", "consent", "campaign_control", "call_event", "disposition",
    "callback", "note_free_text", "survey", "consent_captured", "recording_ref", "order_result", "agent_ref",
    "handling_times", "qa_score", "score", "segment",
)  # fmt: skip
WARNED = ("SEED_OWNER_NO_SIGN_OFF", "SEED_OWNER_NO_REVERSE_ART28")
SIGNED = Edit(
    AGREEMENT,
    "seedOwner: {signOff: null, reverseArt28Ref: null}",
    "seedOwner: {signOff: board 2026-01-15, reverseArt28Ref: ART28-R-1}",
)


def amend(settings: Settings, version: str, valid_from: date, **changes: Any) -> None:
    """The next version of energy01's agreement, signed after 3.0.0, and its contracts."""
    papers = settings.principals_dir / "energy01"
    newest = max(papers.glob("agreement-*.yaml"))
    agreement = yaml.safe_load(newest.read_text("utf-8"))
    agreement |= {"supersedes": agreement["version"], "version": version, "validFrom": valid_from, **changes}
    (papers / f"agreement-{version}.yaml").write_text(yaml.safe_dump(agreement), "utf-8")
    for path in papers.glob("*.odcs.yaml"):
        pin = "{property: agreementVersion, value: %s}"
        text = path.read_text("utf-8").replace(pin % agreement["supersedes"], pin % version)
        path.write_text(text, "utf-8")


def rows_of(profile: str) -> list[dict[str, object]]:
    """One profile for every group in every direction."""
    return [
        {
            "direction": direction,
            "fieldGroup": group,
            "roleProfile": profile,
            "retentionRule": "RET-01",
            "portable": False,
        }
        for direction in TOLD
        for group in GROUPS
    ]


@pytest.mark.evidence
def test_every_profile_in_every_direction_for_every_group_before_and_after_each_change(
    store_settings: Settings, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    settings = with_papers(store_settings, tmp_path)
    for contract in (settings.principals_dir / "energy01").glob("*.odcs.yaml"):
        contract.unlink()
    days = [date(2026, 2, 1) + timedelta(days=number) for number in range(len(ORACLE))]
    known = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number) for number in range(len(ORACLE))]
    right = asked = 0
    with connect(settings) as conn:
        for number, (profile, day) in enumerate(zip(ORACLE, days, strict=True)):
            amend(settings, f"3.{number + 1}.0", day, roleProfiles=rows_of(profile), jointArrangementRef="JOINT-1")
            done = activate_principal(conn, settings.principals_dir / "energy01", known[number])
            assert not done.is_refused, done.problems
        for then, known_at in enumerate(known):
            for on, day in enumerate(days):
                agreement = find_agreement(conn, "DPA-ENERGY01", day, known_at)
                assert agreement is not None
                profile = list(ORACLE)[min(on, then)]
                for direction in Direction:
                    found = {row.group: row for row in roles_for(agreement, (), direction, day)}
                    for group in GROUPS:
                        row = found.pop(group)
                        asked += 1
                        right += (
                            row.profile,
                            (row.controller, row.processor, row.owner_label, row.answers_subject),
                            row.notified,
                        ) == (profile, ORACLE[profile], TOLD[direction][profile])
                    assert not found
    assert (right, asked) == (asked, len(ORACLE) ** 2 * len(TOLD) * len(GROUPS))
    record_property(
        "role matrix: profile x direction x group, each at every version and as known before and after",
        f"{right} of {asked} right",
    )


MIXED = {
    "identity": "PRINCIPAL_CONTROLLER", "contact_point": "PRINCIPAL_CONTROLLER", "contract": "PRINCIPAL_CONTROLLER",
    "call_event": "SEED_OWNER", "disposition": "PROCESSOR_ON_BEHALF", "callback": "JOINT", "order_result": "JOINT",
    "note_free_text": "INDEPENDENT", "recording_ref": "SEED_OWNER", "agent_ref": "INDEPENDENT",
    "handling_times": "STAFF",
}  # fmt: skip
"""A second version: every profile in one return."""
FIRST = {
    group: "PRINCIPAL_CONTROLLER" if group in ("identity", "contact_point", "contract") else "SEED_OWNER"
    for group in MIXED
} | {"agent_ref": "STAFF", "handling_times": "STAFF"}
"""What agreement 3.0.0 says of the return."""


def test_a_return_keeps_the_roles_it_was_made_under_and_the_next_has_the_new_ones(
    store_settings: Settings, tmp_path: Path
) -> None:
    settings = with_papers(store_settings, tmp_path, AT_ONCE)
    with open_night(settings, tmp_path) as night:
        people = night.people(3)
        night.called(Call("c1", *people[0]), name="first.csv")
        night.make()
        [first] = night.returns()
        assert warns(night), "nobody signed off what the center owns"
        before = beside(night, first)
        assert roles(night, first) == expected(FIRST)
        agreement = yaml.safe_load((settings.principals_dir / "energy01" / AGREEMENT).read_text("utf-8"))
        changed = [
            row | {"roleProfile": MIXED[row["fieldGroup"]]} if row["direction"] == "outbound_return" else row
            for row in agreement["roleProfiles"]
        ]
        amend(settings, "3.1.0", brussels_today(), roleProfiles=changed, jointArrangementRef="JOINT-1")
        done = activate_principal(night.desk.house.conn, settings.principals_dir / "energy01", datetime.now(UTC))
        assert not done.is_refused, done.problems
        night.make()
        assert [line.id for line in night.returns()] == [first.id]

        night.called(Call("c2", *people[1]), name="late.csv")
        night.called(Call("c3", *people[2], at=CALLED_AT - timedelta(days=1)), name="other.csv")
        night.make()

        other, late = sorted(night.returns()[:2], key=lambda line: night.record(line).what.key)
        assert roles(night, late) == roles(night, other) == expected(MIXED)
        assert {night.record(line).why.agreement_version for line in (late, other)} == {"3.1.0"}
        assert night.record(late).what.supersedes == first.id
        assert roles(night, first) == expected(FIRST)
        assert night.record(first).why.agreement_version == "3.0.0"
        assert beside(night, first) == before
        [row] = csv.DictReader(io.StringIO(night.file(other).decode()), delimiter=";")
        assert (len(row["agent"]), row["agent"] != "agent01") == (32, True)
        assert {row["agent"] for row in csv.DictReader(io.StringIO(night.file(first).decode()), delimiter=";")} == {
            "agent01"
        }
        assert "AGENTS_PSEUDONYMISED" in told(night, other)["statement"]


def expected(profiles: Mapping[str, str]) -> dict[str, tuple[str, str, str, str]]:
    """Group: profile, controller, processor, owner label."""
    return {group: (profile, *ORACLE[profile][:3]) for group, profile in profiles.items()}


def roles(night: Night, line: ExchangeLine) -> dict[str, tuple[str, str, str, str]]:
    """What the record says per group, once its columns and the signed statement say the same."""
    record = night.record(line)
    by_group = {r.field_group: (r.role_profile, r.controller, r.processor, r.owner_label) for r in record.who.roles}
    for column in (*record.what.columns, *statement(night, line).columns):
        said = (column.role_profile, column.controller, column.processor, column.owner_label)
        assert said == by_group[str(column.field_group)]
        assert column.basis_holder and column.legal_basis and column.retention_rule and column.origin
    return by_group  # type: ignore[return-value]


def beside(night: Night, line: ExchangeLine) -> dict[str, bytes]:
    """The delivered file and all that lies beside it."""
    key = night.record(line).what.key
    return {name: content for name, content in night.delivered().items() if name.startswith(key)}


def statement(night: Night, line: ExchangeLine) -> Statement:
    return verify_statement(
        beside(night, line)[f"{night.record(line).what.key}.roles.json"], night.desk.house.keyring.public_pem
    )


def told(night: Night, line: ExchangeLine) -> dict[str, str]:
    """Where a warning has to stand: record, receipt, statement."""
    payload = json.loads(beside(night, line)[f"{night.record(line).what.key}.receipt.json"])["payload"]
    receipt = urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()
    record = "\n".join(night.record(line).who.role_warnings)
    return {"record": record, "receipt": receipt, "statement": "\n".join(statement(night, line).warnings)}


def warns(night: Night) -> bool:
    """Whether every place where a warning has to stand has both, or none does."""
    found = {word in text for text in told(night, night.returns()[0]).values() for word in WARNED}
    assert len(found) == 1
    return found.pop()


def test_seed_owner_is_warned_of_in_no_report_once_it_is_signed_off(store_settings: Settings, tmp_path: Path) -> None:
    with open_night(with_papers(store_settings, tmp_path, AT_ONCE, SIGNED), tmp_path, 5) as night:
        night.called(Call("c1", *night.people(1)[0]))
        night.make()
        assert not warns(night)


GAP = Edit(
    CONTRACT,
    "      - name: order_number\n",
    "      - name: mood\n        logicalType: string\n        customProperties:\n"
    "          - {property: source, value: results.note}\n      - name: order_number\n",
)
"""A column of which nobody said whose it is."""


def test_a_column_without_a_role_stops_every_file(store_settings: Settings, tmp_path: Path) -> None:
    settings = with_papers(store_settings, tmp_path, AT_ONCE, GAP)
    with open_night(settings, tmp_path) as night:
        person = night.people(1)[0]
        log = Call("c1", *person)
        header, row = call_log([log]).decode().splitlines()
        stopped = night.results(f"{header},MOOD\n{row},happy\n".encode(), "mood.csv")
        assert (night.desk.line(stopped).decision, night.desk.line(stopped).rows_accepted) == ("refused", 0)
        night.called(log)
        night.make()
        night.make()

        [line] = night.returns()
        assert (line.decision, line.reason_code) == ("refused", "FORBIDDEN_CONTRACT_GAP")
        assert night.delivered() == {}
        receipts = [o.key for o in night.desk.objects(night.desk.settings.bucket_exchange) if line.id in o.key]
        assert sorted(key.rpartition(".")[2] for key in receipts) == ["json", "pdf"]

        contract = settings.principals_dir / "energy01" / CONTRACT
        contract.write_text(contract.read_text("utf-8").replace(GAP.new, GAP.old), "utf-8")
        activate_principal(night.desk.house.conn, settings.principals_dir / "energy01", datetime.now(UTC))
        night.make()
        assert [line.decision for line in night.returns()] == ["accepted", "refused"]


def test_a_return_whose_agreement_ended_is_refused_and_heard_of(store_settings: Settings, tmp_path: Path) -> None:
    settings = with_papers(
        store_settings, tmp_path, AT_ONCE, Edit(AGREEMENT, "validTo: null\ndoc", "validTo: 2099-01-01\ndoc")
    )
    with open_night(settings, tmp_path, 5) as night:
        night.called(Call("c1", *night.people(1)[0]))
        night.make(now=datetime(2099, 1, 3, tzinfo=UTC))
        assert [(line.decision, line.reason_code, line.flow) for line in night.returns()] == [
            ("refused", "FORBIDDEN_AGREEMENT_EXPIRED", RESULTS)
        ]
        assert night.delivered() == {}
