"""Every recipient in the ledger is told, no other; a notice for one principal never shows another."""

import base64
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest
import yaml

from rights.case.attempts import part_of
from rights.town import Person, Town, is_notice, open_town, papers_of
from sluice.exchange.read import list_exchanges, show_exchange
from sluice.rights.case import store
from sluice.rights.case.model import Action, Case, Right, State, SubCase, Track
from sluice.rights.erasure.erase import run
from sluice.rights.notices.holder_store import find_holders
from sluice.rights.notices.model import Channel, Holder, Recipient, Side
from sluice.rights.notices.notice_store import list_notices
from sluice.rights.notices.recipients import groups_of, recipients_of, without_part
from sluice.rights.notices.tell import tell
from sluice.settings import Settings
from sluice.terms import Direction, ExchangeId
from support.copies import Copies
from support.effort import effort

PRINCIPALS = ("energy01", "gas01", "heat01")
ABSENT, SENT, RETURNED = range(3)
COMBINATIONS = tuple(each for each in product((ABSENT, SENT, RETURNED), repeat=3) if any(each))
ADDED = ("call_event", "disposition", "callback", "note_free_text", "order_result", "recording_ref")
OURS = frozenset({*ADDED, "agent_ref", "handling_times"})
"""Field groups that the center decides of by the agreement, as its rows have it."""
Told = Mapping[tuple[int, str, str], frozenset[str]]
"""By person, recipient and side: the field groups."""
Rule = Callable[[SubCase, Sequence[Holder], str], tuple[Recipient, ...]]


def planted(settings: Settings, folder: Path, *numbers: int) -> None:
    """Persons who are absent, in the file, or in file and return, at each of three principals: each way once.

    ``numbers``: of the ways. heat01 gets less than the others: no callback and no recording.
    """
    with_papers = papers_of(settings, folder, PRINCIPALS)
    without(contract(with_papers, "heat01", "renewal_results.outbound_return"), "callback_at", "recording_ref")
    with only(with_papers, folder, numbers) as opened:
        for place, name in enumerate(PRINCIPALS):
            ways = [(person, COMBINATIONS[person.number][place]) for person in opened.people]
            opened.arrive(name, [person for person, way in ways if way >= SENT])
            opened.give_back(name, [person for person, way in ways if way == RETURNED])


@contextmanager
def only(settings: Settings, folder: Path, numbers: Collection[int]) -> Iterator[Town]:
    """Open the town with only the persons of these numbers; each number stands for one way that data can go."""
    with open_town(settings, folder, PRINCIPALS, len(COMBINATIONS)) as every:
        yield replace(every, people=tuple(person for person in every.people if person.number in numbers))


@pytest.fixture(scope="module")
def town(copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The town with every way that data can go; in `make test` every eighth, and the last: a return at all three."""
    numbers, folder = range(effort(1, 0), len(COMBINATIONS), effort(8, 1)), tmp_path_factory.mktemp("town")
    with copies.of(planted, folder, *numbers) as settings, only(settings, folder, numbers) as opened:
        yield opened


def contract(settings: Settings, principal: str, name: str) -> Path:
    return settings.principals_dir / principal / f"{name}.odcs.yaml"


def without(path: Path, *columns: str) -> None:
    """Take columns out of a contract."""
    document = yaml.safe_load(path.read_text())
    [table] = document["schema"]
    table["properties"] = [each for each in table["properties"] if each["name"] not in columns]
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def groups_in(path: Path) -> frozenset[str]:
    """Field groups of a contract, read by hand."""
    [table] = yaml.safe_load(path.read_text())["schema"]
    said = [each for column in table["properties"] for each in column["customProperties"]]
    return frozenset(each["value"] for each in said if each["property"] == "fieldGroup")


def planned(town: Town, is_asked: Callable[[Person], bool], *, upstream: bool) -> Told:
    """Who has to be told, from how the persons were planted and nothing else."""
    wanted: dict[tuple[int, str, str], frozenset[str]] = {}
    for person in filter(is_asked, town.people):
        for name, way in zip(PRINCIPALS, COMBINATIONS[person.number], strict=True):
            back = contract(town.desk.settings, name, "renewal_results.outbound_return")
            if way == RETURNED:
                wanted[person.number, name, "recipient"] = groups_in(back) & OURS
            if way >= SENT and upstream:
                wanted[person.number, name, "supplier"] = groups_in(
                    contract(town.desk.settings, name, "renewal_campaign.inbound")
                )
    return wanted


def told_by_file(town: Town) -> Told:
    """Who was told, from the files under each prefix: by the phone number in them."""
    by_phone = {person.phone: person for person in town.people}
    found: dict[tuple[int, str, str], frozenset[str]] = {}
    for name in PRINCIPALS:
        for notice in town.told(name):
            [identifiers] = notice["identifiers"]
            person = next(by_phone[each["value"]] for each in identifiers if each["kind"] == "phone")
            place = (person.number, name, notice["you_are"])
            assert place not in found, "told twice"
            found[place] = frozenset(notice["field_groups"])
    return found


def mistakes(wanted: Told, told: Told) -> int:
    """Who was not told, told though they need not be, or told of other field groups."""
    return sum(wanted.get(place) != told.get(place) for place in {*wanted, *told})


def told_by_rule(town: Town, cases: Mapping[int, Case], rule: Rule) -> Told:
    """Whom a rule would tell what, computed from what the stores hold."""
    found: dict[tuple[int, str, str], frozenset[str]] = defaultdict(frozenset)
    for number, case in cases.items():
        for part in store.get_case(town.house.conn, case.case_id).sub_cases:
            for each in rule(part, find_holders(town.house.conn, case.case_id, part.principal), "center"):
                found[number, each.recipient, each.side] |= frozenset(each.field_groups)
    return found


def everybody_with_a_part(part: SubCase, holders: Sequence[Holder], center: str) -> tuple[Recipient, ...]:
    return (Recipient(part.principal, Side.RECIPIENT, Channel.PREFIX, part.field_groups, ()),)


def also_the_decider(part: SubCase, holders: Sequence[Holder], center: str) -> tuple[Recipient, ...]:
    return recipients_of(replace(part, principal="nobody"), holders, center)


def every_return(part: SubCase, holders: Sequence[Holder], center: str) -> tuple[Recipient, ...]:
    back = [holder for holder in holders if holder.direction is Direction.OUTBOUND_RETURN]
    groups = {group for holder in back for line in holder.record.what.columns if (group := line.field_group)}
    return (Recipient(part.principal, Side.RECIPIENT, Channel.PREFIX, tuple(groups), ()),) if back else ()


def nobody_upstream(part: SubCase, holders: Sequence[Holder], center: str) -> tuple[Recipient, ...]:
    return tuple(each for each in recipients_of(part, holders, center) if each.side is Side.RECIPIENT)


def leaks(town: Town) -> list[str]:
    """What files under notices/ show of another principal: its name, its numbers, or field groups it alone has."""
    own: dict[str, set[str]] = defaultdict(set)
    for name in PRINCIPALS:
        own[name] |= {name, name.upper(), "Energy One" if name == "energy01" else name.title()}
        own[name] |= {person.record(name) for person in town.people}
    for line in list_exchanges(town.house.conn, limit=10_000):
        own[line.principal].add(line.id)
    for case in store.list_cases(town.house.conn, limit=None):
        for part in case.sub_cases:
            own[part.principal].add(part.sub_case_id)
    for notice in list_notices(town.house.conn, limit=None):
        own[notice.principal].add(notice.notice_id)
    own["energy01"] |= {'"callback"', '"recording_ref"'}
    own["gas01"] |= {'"callback"', '"recording_ref"'}
    found = []
    for name in PRINCIPALS:
        foreign = set().union(*(own[other] for other in PRINCIPALS if other != name)) - own[name]
        for file, content in town.notices(name).items():
            text = readable(content)
            if any(word in text for word in foreign):
                found.append(f"{name}/{file}")
    return found


def readable(content: bytes) -> str:
    """A file under notices/; of a signed one what it says."""
    said = json.loads(content)
    if "payload" not in said:
        return json.dumps(said, ensure_ascii=False)
    return base64.urlsafe_b64decode(said["payload"] + "=" * (-len(said["payload"]) % 4)).decode()


@pytest.mark.timeout(900)
@pytest.mark.slow
@pytest.mark.evidence
def test_every_recipient_in_the_ledger_is_told_and_no_other(
    town: Town, record_property: Callable[[str, object], None]
) -> None:
    now = datetime.now(UTC)
    erased = {each.number: town.decided(each) for each in town.people[::2]}
    for case in erased.values():
        report = run(town.house, case.case_id, now)
        assert (report.residual, report.doubts, report.waiting) == (0, 0, 0)
    stopped = {each.number: town.decided(each, Right.OBJECTION, Action.STOP) for each in town.people[1::2]}

    told = tell(town.house, datetime.now(UTC))

    assert told.failed == 0
    wanted = {
        **planned(town, lambda person: person.number in erased, upstream=False),
        **planned(town, lambda person: person.number in stopped, upstream=True),
    }
    files = told_by_file(town)
    assert mistakes(wanted, files) == 0
    assert told.sent == len(wanted) == len(files)
    assert leaks(town) == []
    cases = {**erased, **stopped}
    broken: Sequence[Rule] = (everybody_with_a_part, also_the_decider, every_return, nobody_upstream)
    found = [mistakes(wanted, told_by_rule(town, cases, rule)) for rule in broken]
    assert mistakes(wanted, told_by_rule(town, cases, recipients_of)) == 0
    assert all(found), found
    seen = sum(len(town.notices(name)) for name in PRINCIPALS)
    record_property(
        "D6 recipients: told of those in the ledger, others told, broken rules found",
        f"{sum(wanted[place] == files.get(place) for place in wanted)} of {len(wanted)}, "
        f"{len(set(files) - set(wanted))}, {len(broken)} of {len(broken)} "
        f"({len(cases)} cases of persons at three principals)",
    )
    record_property("D6 files under notices/ that show another principal", f"{len(leaks(town))} of {seen}")
    a_notice_in_another_prefix_is_a_leak_that_is_seen(town)


def a_notice_in_another_prefix_is_a_leak_that_is_seen(town: Town) -> None:
    """The control."""
    name, content = next((name, each) for name, each in town.notices("energy01").items() if is_notice(name))
    said = {"identifiers": json.loads(content)["identifiers"]}
    bucket = town.desk.settings.bucket_exchange
    town.house.objects.put(bucket, f"gas01/notices/{name}", json.dumps(said).encode(), "application/json")
    assert leaks(town) == [f"gas01/{name}"]
    said = {"field_groups": ["callback"]}
    town.house.objects.put(bucket, "heat01/notices/x.json", json.dumps(said).encode(), "application/json")
    assert leaks(town) == [f"gas01/{name}", "heat01/x.json"]


@pytest.fixture(scope="module")
def returned(town: Town) -> Holder:
    """A real return of energy01, delivered."""
    [line] = list_exchanges(town.house.conn, principal="energy01", direction=Direction.OUTBOUND_RETURN)
    record = show_exchange(town.house.conn, line.id).record
    assert record is not None
    return Holder(ExchangeId(line.id), Direction.OUTBOUND_RETURN, True, record)


def test_the_supplier_of_rows_that_we_put_there_again_is_their_principal(returned: Holder) -> None:
    """Held rows come back in a file whose sender we are: we tell the principal, and not ourselves."""
    stop = replace(part_of(Track.CONTROLLER, State.EXECUTING), action=Action.STOP)
    theirs = replace(stop, controller="principal", track=Track.PROCESSOR)
    who = {name: returned.record.who.model_copy(update={"sender": name}) for name in ("center", "energy01")}

    def suppliers(part: SubCase, sender: str) -> list[str]:
        came = returned.record.model_copy(update={"direction": Direction.INBOUND, "who": who[sender]})
        holder = replace(returned, direction=Direction.INBOUND, record=came)
        return [each.recipient for each in recipients_of(part, [holder], "center") if each.side is Side.SUPPLIER]

    for sender in who:
        assert suppliers(stop, sender) == ["energy01"], sender
        assert suppliers(theirs, sender) == [], "its own decision"


def test_recipients_of_a_decided_part_case_by_case(returned: Holder) -> None:
    ours = replace(
        part_of(Track.CONTROLLER, State.EXECUTING),
        field_groups=("disposition", "callback", "identity"),
        action_fields=("disposition", "callback"),
    )
    joint, theirs = replace(ours, controller="joint"), replace(ours, controller="principal", track=Track.PROCESSOR)

    def names(part: SubCase, *holders: Holder) -> list[tuple[str, tuple[str, ...]]]:
        return [(each.recipient, each.field_groups) for each in recipients_of(part, holders, "center")]

    assert names(ours, returned) == [("energy01", ("callback", "disposition"))]
    assert names(ours, replace(returned, was_delivered=False)) == [], "made, and never delivered"
    assert names(replace(ours, action_fields=("disposition",)), returned) == [("energy01", ("disposition",))], "PARTIAL"
    assert names(replace(ours, action_fields=("survey",)), returned) == [], "nothing of it was decided"
    assert names(replace(ours, agreement_id="DPA-OTHER"), returned) == [], "another agreement decides of its own"
    parts = [replace(each, agreement_id="DPA-OTHER") for each in (ours, theirs)]
    orphaned = recipients_of(parts[0], [returned], "center", parts)
    assert [each.field_groups for each in orphaned] == [("callback", "disposition")], "no part decides of that one"
    whole = replace(ours, agreement_id="DPA-OTHER", action_fields=())
    [all_of_it] = recipients_of(whole, [returned], "center", [whole, parts[1]])
    assert all_of_it.field_groups == tuple(sorted(groups_of(returned.record, "center"))), "all of it, listed or not"
    assert without_part([ours], [returned]) == frozenset() == without_part([ours], [])
    assert without_part([whole], [returned]) == {"DPA-ENERGY01"}
    assert names(joint, returned) == [], "no column of this return is a joint one"
    assert names(theirs, returned) == [], "its own decision"
    for action in (Action.GIVE, Action.EXPORT, Action.REFUSE):
        assert names(replace(ours, action=action), returned) == []
    assert names(ours) == []
    shared = returned.record.model_copy(
        update={"who": returned.record.who.model_copy(update={"recipients": ("energy01", "Grid NV", "center")})}
    )
    wider = replace(returned, record=shared)
    assert [(e.recipient, e.channel) for e in recipients_of(ours, [wider], "center")] == [
        ("Grid NV", Channel.DESK),
        ("energy01", Channel.PREFIX),
    ]
    assert [e.channel for e in recipients_of(replace(ours, action=Action.RECTIFY), [wider], "center")] == [
        Channel.DESK
    ] * 2
    assert [name for name, _ in names(replace(theirs, action_fields=("identity",)), wider)] == ["Grid NV"]
    assert groups_of(returned.record, "principal") == {"identity", "contact_point", "contract"}


def test_a_group_that_another_version_gave_away_or_dropped_goes_with_whoever_decides_of_it_now(
    returned: Holder,
) -> None:
    """Of the return the center decided of callback, disposition and others, the principal of identity and others."""
    ours = replace(part_of(Track.CONTROLLER, State.EXECUTING), field_groups=("disposition",), action_fields=())
    theirs = replace(ours, controller="principal", track=Track.PROCESSOR, field_groups=("callback",))
    got = returned.record.who.model_copy(update={"recipients": ("Grid NV",)})
    holder = replace(returned, record=returned.record.model_copy(update={"who": got}))

    def told(part: SubCase, *parts: SubCase) -> set[str]:
        return {group for each in recipients_of(part, [holder], "center", parts) for group in each.field_groups}

    assert told(theirs, ours, theirs) >= {"callback", "identity"}, "its own, what it was given, what was dropped"
    assert "callback" not in told(theirs), "control: by the roles of the day it is the center's"
    assert told(ours, ours, theirs) >= {"disposition", "recording_ref"}
    assert "callback" not in told(ours, ours, theirs)
    partly = replace(ours, field_groups=("disposition", "order_result"), action_fields=("disposition",))
    assert told(partly, partly, theirs) == {"disposition"}, "what was dropped goes with the whole only"
    corrected = replace(ours, action=Action.RECTIFY, action_fields=("disposition",))
    assert told(corrected, corrected, theirs) == {"disposition"}, "and not with a correction of all that it has"
