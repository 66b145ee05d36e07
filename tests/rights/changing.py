"""Towns of one principal whose agreement gives a role to somebody else in its next version, while copies lie here."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import yaml

from returns.test_roles import amend
from rights.estate import CONTACTS
from rights.town import Town
from sluice.agreement.in_force.activate import activate_principal
from sluice.terms import Principal
from sluice.times import brussels_today
from support.night import AGREEMENT, Edit, change

PRINCIPAL = Principal("energy01")
ADDED = frozenset({"call_event", "disposition", "callback", "note_free_text", "order_result", "recording_ref"})
"""What agents add, as the agreement has it."""
ALL_THE_PRINCIPALS = tuple(
    Edit(AGREEMENT, f"roleProfile: {name}", "roleProfile: PROCESSOR_ON_BEHALF") for name in ("SEED_OWNER", "STAFF")
)
"""The principal decides of everything, what agents add and data about them too."""
Row = Mapping[str, Any]


def renew(town: Town) -> None:
    """The papers in the principal's folder come in force as they are now."""
    papers = town.desk.settings.principals_dir / PRINCIPAL
    done = activate_principal(town.house.conn, papers, datetime.now(UTC))
    assert not done.is_refused, done.problems


def next_version(town: Town, new: Callable[[Row], Row | None]) -> None:
    """From today another version of the agreement holds, with these rows of roles instead; None takes one out."""
    papers = town.desk.settings.principals_dir / PRINCIPAL
    rows = yaml.safe_load((papers / AGREEMENT).read_text("utf-8"))["roleProfiles"]
    amend(town.desk.settings, "3.1.0", brussels_today(), roleProfiles=[row for each in rows if (row := new(each))])


def center_decides_of_what_is_added(town: Town) -> None:
    """From today the center decides of what its agents add; its data of the staff stays the principal's."""
    next_version(
        town,
        lambda row: {
            **row,
            "roleProfile": "SEED_OWNER"
            if row["fieldGroup"] in ADDED and row["direction"] != "inbound"
            else row["roleProfile"],
        },
    )
    renew(town)


def each_decides_of_its_copy(town: Town) -> None:
    """From today principal and center are independent controllers of what comes in."""
    next_version(
        town,
        lambda row: {**row, "roleProfile": "INDEPENDENT" if row["direction"] == "inbound" else row["roleProfile"]},
    )
    contacts = town.desk.settings.principals_dir / PRINCIPAL / CONTACTS
    change(contacts, "roleProfile, value: PRINCIPAL_CONTROLLER", "roleProfile, value: INDEPENDENT")
    change(contacts, "version: 1.0.0", "version: 1.1.0")
    renew(town)
