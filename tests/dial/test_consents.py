"""Records of consent: they open and close a dial list for one purpose and one channel, and name nobody."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import polars as pl
import pytest

from dial.lists import CAMPAIGN, ENERGY01, ask, listed, now
from returns.commands import at_terminal, sluice
from sluice.dial import make
from sluice.dial.model import Channel, Dialled, Request
from sluice.dial.recall import recall_lists
from sluice.exchange.effects.run import do_effects
from sluice.exchange.persons.consents import count_left, erase_consents, find_records
from sluice.exchange.persons.suppressed import find_reasons, find_suppressed, keep_out
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.verify import verify
from sluice.retention.run import retain
from sluice.rights.case.model import Actor, Right, Role
from sluice.rights.consents.file import ConsentsInvalid, Said
from sluice.rights.consents.keep import import_consents, record_consent
from sluice.rights.opening import NewRequest, open_case
from sluice.settings import Settings
from sluice.subject.refs import refer
from sluice.subject.scope import MARKETING, scope_of
from sluice.subject.suppression import Suppression
from sluice.terms import SubjectKind
from sluice.times import BRUSSELS
from support.desk import Desk, open_desk
from support.night import AGREEMENT, Edit, change, with_papers

HEAD = 'legalBasis: "https://w3id.org/dpv/legal/eu/gdpr#A6-1-{}"\n      basisHolder: principal\n      channels: [{}]'
COLUMNS = "customer;purpose;channel;state;at;until;method;notice;collected_by"
IRI = "https://w3id.org/dpv#DirectMarketing"


@pytest.fixture
def basis(request: pytest.FixtureRequest) -> str:
    """Letter of what renewal rests on (GDPR Art. 6(1)): consent, where a test says nothing else."""
    return str(getattr(request, "param", "a"))


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path, basis: str) -> Iterator[Desk]:
    """Renewal goes over calls and texts; 40 contacts were accepted."""
    settings = with_papers(store_settings, tmp_path)
    papers = settings.principals_dir / ENERGY01
    change(papers / AGREEMENT, HEAD.format("f", "voice"), HEAD.format(basis, "voice, sms"))
    contract, any_basis = papers / "renewal_campaign.inbound.odcs.yaml", "https://w3id.org/dpv/legal/eu/gdpr#A6-1-"
    change(contract, f"{any_basis}f", f"{any_basis}{basis}")
    change(contract, "consentChannel, value: email", "consentChannel, value: sms")
    for path in papers.glob("renewal_results.*"):
        path.unlink()  # they speak of the basis that renewal may no longer have
    with open_desk(settings, tmp_path) as opened:
        opened.drop(opened.campaign(40)[0])
        opened.work()
        opened.may_call()
        yield opened


def people(desk: Desk, opted_in: str) -> list[str]:
    """Customer numbers of those whose file says this of texts."""
    frame = pl.read_csv(desk.campaign(40)[0], separator=";", infer_schema=False)
    return frame.filter(pl.col("opt_in_email") == opted_in)["customer_number"].to_list()


def ref_of(desk: Desk, customer: str) -> str:
    return refer(desk.house.subject_key(ENERGY01), SubjectKind.PRINCIPAL_CUSTOMER_ID, customer).ref or ""


def dialled(desk: Desk, channel: str = "sms") -> tuple[set[str], Dialled]:
    done = ask(desk, channel=channel, form="parquet")
    return set(listed(desk, done)["customer_number"]), done


def said(
    customer: str, state: str = "given", at: datetime | None = None, channel: str = "sms", until: str = ""
) -> Said:
    at = at or now()
    return Said({"customer": customer}, "P-RENEW", channel, state, at.isoformat(), "web_form", "W-7", "webshop", until)


def line(one: Said) -> str:
    return ";".join(
        (one.persons["customer"], one.purpose, one.channel, one.state, one.at, one.until, one.method, one.notice,
         one.collected_by)
    )  # fmt: skip


def withdrawn(desk: Desk, customer: str) -> None:
    """A person withdrew the consent to marketing over every channel, and the case is decided."""
    scope = scope_of(Suppression.CONSENT_WITHDRAWN, MARKETING)
    refs = frozenset({ref_of(desk, customer)})
    keep_out(
        desk.house, ENERGY01, refs, Suppression.CONSENT_WITHDRAWN, cause=customer, case_id=None, now=now(), scope=scope
    )


def test_a_withdrawal_ends_with_consent_to_all_that_rests_on_it(desk: Desk) -> None:
    """One that names no purpose also stops what rests on the contract; nobody gives a consent for that."""
    one, both, other, *_ = people(desk, "Y")
    given = [(SubjectKind.PRINCIPAL_CUSTOMER_ID, one)]
    open_case(
        desk.house,
        NewRequest(Right.CONSENT_WITHDRAWAL, given, ENERGY01, now(), "letter", "nl", Actor(Role.DESK, "anna")),
        now(),
    )
    refs = frozenset({ref_of(desk, one)})
    assert find_reasons(desk.house, ENERGY01, refs) == ("consent_withdrawn",)
    record_consent(desk.house, ENERGY01, said(one, channel="sms"), "anna", now())
    assert find_reasons(desk.house, ENERGY01, refs) == ("consent_withdrawn",), "control: calls are left"

    record_consent(desk.house, ENERGY01, said(one, channel="voice"), "anna", now())

    assert find_reasons(desk.house, ENERGY01, refs) == ()

    for each in (both, other):
        withdrawn(desk, each)

    def reasons(customer: str, channel: str | None = None) -> tuple[str, ...]:
        return find_reasons(desk.house, ENERGY01, frozenset({ref_of(desk, customer)}), channel)

    record_consent(desk.house, ENERGY01, said(both), "anna", now())
    assert reasons(both, "sms") == ()
    assert reasons(both, "voice") == reasons(both) == ("consent_withdrawn",), "calls are still withdrawn"
    record_consent(desk.house, ENERGY01, said(both, channel="voice"), "anna", now())
    assert reasons(both) == ()
    assert reasons(other, "sms") == reasons(other) == ("consent_withdrawn",), "control"


def test_a_file_of_records_opens_and_closes_lists_and_the_younger_word_counts(desk: Desk) -> None:
    (no, also_no, ran_out), (yes, back, old) = people(desk, "N")[:3], people(desk, "Y")[:3]
    before, _ = dialled(desk)
    assert {yes, back, old} <= before and before.isdisjoint({no, also_no, ran_out})
    yesterday = now().astimezone(BRUSSELS).date() - timedelta(days=1)
    lines = [
        COLUMNS,
        line(said(no)),
        line(said(also_no, at=now() - timedelta(days=400))),  # the file that says no is younger
        line(said(ran_out, at=now() - timedelta(days=9), until=str(yesterday))),
        line(said(yes, "refused")),
        line(said(back, "withdrawn", now() - timedelta(days=2))),
        line(said(back)),
        line(replace(said(old), state="perhaps")),
        line(replace(said(old), collected_by="Jan Peeters")),
    ]
    content = "\n".join(lines).encode()

    done = import_consents(desk.house, ENERGY01, content, yesterday, "anna", now())
    again = import_consents(desk.house, ENERGY01, content, yesterday, "anna", now())

    assert (done.records, done.refused, done.is_new, again.is_new) == (6, 2, True, False)
    assert [(fault.column, fault.rows) for fault in done.faults] == [("state", (7,)), ("collected_by", (8,))]
    after, told = dialled(desk)
    assert after == (before | {no}) - {yes}
    assert told.left_out["consent_withdrawn"] == 1
    calls, _ = dialled(desk, "phone")
    assert yes in calls or yes not in people_to_call(desk), "another channel is another consent"
    stored = b"".join(
        desk.house.objects.read(item.bucket, item.key)
        for item in desk.objects(desk.settings.bucket_lake)
        if item.key.startswith("_consents/")
    )
    assert stored and not [customer for customer in (no, yes, back) if customer.encode() in stored]
    [entry] = desk.sql("select convert_from(body, 'UTF8') as body from ledger.entry where kind = 'consents.recorded'")
    body = json.loads(str(entry["body"]))
    assert sum(each["records"] for each in body["lines"]) == 6 and no not in str(entry["body"])
    assert verify(desk.house.conn, public_pem=desk.house.keyring.public_pem).valid


def people_to_call(desk: Desk) -> set[str]:
    frame = pl.read_csv(desk.campaign(40)[0], separator=";", infer_schema=False)
    return set(frame.filter(pl.col("opt_in_phone") == "Y")["customer_number"])


def check_tied_comes_back(desk: Desk, customers: list[str]) -> None:
    """What is tied to a withdrawal (telephone and address) comes back with the consent of its person."""
    frame = pl.read_csv(desk.campaign(40)[0], separator=";", infer_schema=False)
    with_address = set(frame.filter(pl.col("email") != "")["customer_number"])
    person, other = [each for each in customers if each in with_address][:2]
    for each in (person, other):
        given = [(SubjectKind.PRINCIPAL_CUSTOMER_ID, each)]
        asked = NewRequest(Right.CONSENT_WITHDRAWAL, given, ENERGY01, now(), "letter", "nl", Actor(Role.DESK, "anna"))
        open_case(desk.house, asked, now())
    out = find_suppressed(desk.house, ENERGY01)
    assert out is not None and out.height == 6, "telephone and address of both are tied to their numbers"
    assert dialled(desk)[0].isdisjoint({person, other})

    record_consent(desk.house, ENERGY01, said(person), "anna", now())
    assert person in dialled(desk)[0] and other not in dialled(desk)[0]


def test_consent_given_again_lifts_a_withdrawal_for_its_purpose_and_channel_only(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [each for each in people(desk, "Y") if each in people_to_call(desk)]
    person, objector = both[:2]
    check_tied_comes_back(desk, both[2:])
    older = now() - timedelta(seconds=1)
    for each in (person, objector):
        withdrawn(desk, each)
    refs = frozenset({ref_of(desk, objector)})
    keep_out(desk.house, ENERGY01, refs, Suppression.OBJECTED, cause="o", case_id=None, now=now(),
             scope=scope_of(Suppression.OBJECTED, MARKETING))  # fmt: skip

    record_consent(desk.house, ENERGY01, said(person, at=older), "anna", now())
    assert person not in dialled(desk)[0], "an older record lifts nothing, whenever it comes"
    record_consent(desk.house, ENERGY01, said(person), "anna", now())
    record_consent(desk.house, ENERGY01, said(objector), "anna", now())
    assert person in dialled(desk)[0] and person not in dialled(desk, "phone")[0]
    assert objector not in dialled(desk)[0], "an objection is no withdrawal"

    target = desk.folder / "consent.jsonld"
    with at_terminal(desk, monkeypatch):
        who = ("consent", "withdraw", ENERGY01, f"customer:{person}", "--purpose", "P-RENEW", "--channel", "sms")
        assert sluice(*who).document["is_new"]
        shown = sluice("consent", "show", ENERGY01, f"customer:{person}").document["records"]
        assert sluice("consent", "show", "peeters", f"customer:{person}").error == "SLU-301"
        assert not list(desk.settings.keys_dir.rglob("*peeters*")), "whoever is none of ours gets no key"
        assert sluice("consent", "record", ENERGY01, f"customer:{person}", "--purpose", "P-RENEW", "--channel", "fax",
                      "--method", "call", "--notice", "W-7", "--collected-by", "center").error == "SLU-625"  # fmt: skip
        told = sluice("consent", "export", ENERGY01, f"customer:{person}", "--to", str(target)).document
    assert target.stat().st_mode & 0o077 == 0
    assert told == {"path": str(target), "sha256": sha256(target.read_bytes()).hexdigest(), "records": 3}
    assert [(each["state"], each["counts"]) for each in shown] == [
        ("given", False), ("given", False), ("withdrawn", True),
    ]  # fmt: skip
    assert person not in dialled(desk)[0]
    exported = json.loads(target.read_text())["consent_records"]
    assert [each["event_state"].rpartition("#")[2] for each in exported] == ["ConsentGiven"] * 2 + ["ConsentWithdrawn"]
    assert {each["pii_principal_id"] for each in exported} == {ref_of(desk, person)}
    assert {(each["purpose"], each["privacy_notice"]) for each in exported} == {(IRI, "W-7"), (IRI, "none")}
    with pytest.raises(ConsentsInvalid, match="at"):
        record_consent(desk.house, ENERGY01, said(person, at=now() + timedelta(days=1)), "anna", now())


@pytest.mark.parametrize("basis", ["f"], indirect=True)
def test_a_withdrawal_stops_texts_on_another_basis_too_whatever_the_next_file_says(desk: Desk) -> None:
    """The law asks for a yes before a text; calls rest on the basis that the paper names, and go on."""
    by_record, by_case = [each for each in people(desk, "Y") if each in people_to_call(desk)][:2]
    names, _ = dialled(desk)
    calls, _ = dialled(desk, "phone")
    assert {by_record, by_case} <= names & calls
    request = Request(str(uuid4()), ENERGY01, CAMPAIGN, "P-RENEW", Channel.SMS, "parquet", "anna")
    waiting = make._open(desk.house, request, now())
    make._close(desk.house, waiting, request, now(), {})  # the worker died before it was handed out

    record_consent(desk.house, ENERGY01, said(by_record, "withdrawn"), "anna", now())
    withdrawn(desk, by_case)
    do_effects(desk.house, waiting.exchange_id)
    assert desk.house.objects.head(waiting.bucket, waiting.key) is None, "nor handed out"
    assert recall_lists(desk.house, now()) == (2, 0), "of texts; calls are not taken back"
    lines = desk.campaign(40)[0].read_bytes().splitlines(keepends=True)
    assert desk.line(arrived(desk, b"".join(lines[:-1]))).decision == "accepted"
    after, told = dialled(desk)

    assert after == names - {by_record, by_case} and told.left_out["consent_withdrawn"] == 4, "in two files"
    assert dialled(desk, "phone")[0] == calls
    record_consent(desk.house, ENERGY01, said(by_case), "anna", now())
    assert dialled(desk)[0] == names - {by_record}, "a yes after it lifts it"


@pytest.mark.parametrize("basis", ["f"], indirect=True)
def test_the_next_routine_file_takes_back_no_no_that_is_on_record(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls on legitimate interest, GDPR Art. 21(3); CJEU C-129/21 (Proximus): a later file overwrote an opt-out."""
    calls, _ = dialled(desk, "phone")
    person, other = sorted(calls)[:2]
    who = (ENERGY01, f"customer:{person}", "--purpose", "P-RENEW", "--channel", "voice")
    with at_terminal(desk, monkeypatch):
        assert sluice("consent", "withdraw", *who).document["is_new"]
    assert dialled(desk, "phone")[0] == calls - {person}

    lines = desk.campaign(40)[0].read_bytes().splitlines(keepends=True)
    assert desk.line(arrived(desk, b"".join(lines[:-1]))).decision == "accepted"
    after, _ = dialled(desk, "phone")
    assert after == calls - {person} and other in after
    with at_terminal(desk, monkeypatch):
        how = ("--method", "call", "--notice", "W-7", "--collected-by", "center")
        assert sluice("consent", "record", *who, *how).document["is_new"]
    assert dialled(desk, "phone")[0] == calls, "control: what they say themselves does"


def test_a_list_goes_with_the_first_yes_on_record_that_ends(desk: Desk) -> None:
    yes, no = people(desk, "Y")[0], people(desk, "N")[0]
    today = now().astimezone(BRUSSELS).date()

    def last() -> set[object]:
        done = dialled(desk)[1]
        return {row["delete_after"] for row in desk.sql(
            f"select delete_after from copy where exchange_id = '{done.exchange_id}'"
        )}  # fmt: skip

    assert last() == {today + timedelta(days=5)}, "control: no yes ends"
    for person, days in ((yes, 9), (no, 2), (yes, 0)):
        record_consent(desk.house, ENERGY01, said(person, until=str(today + timedelta(days=days))), "anna", now())
        assert last() == {today + timedelta(days=min(days, 5))}


def arrived(desk: Desk, content: bytes) -> StoredObject:
    dropped = desk.drop(content, "next.csv")
    desk.work()
    return dropped


def test_records_go_with_an_erasure_and_on_their_day_and_those_of_the_erased_do_not_come_back(desk: Desk) -> None:
    gone, stays = people(desk, "Y")[:2]
    for each in (gone, stays):
        record_consent(desk.house, ENERGY01, said(each, "refused", now() - timedelta(days=1)), "anna", now())
    refs = frozenset({ref_of(desk, gone)})
    assert count_left(desk.house, ENERGY01, refs) == 1, "control: it is there"

    assert [erase_consents(desk.house, ENERGY01, refs) for _ in range(2)] == [1, 0]
    assert count_left(desk.house, ENERGY01, refs) == 0
    assert retain(desk.house, now() + timedelta(days=400)).consents == 0, "takes the rows: who has some is not erased"
    keep_out(desk.house, ENERGY01, refs, Suppression.ERASED, cause="e", case_id=None, now=now())
    back = record_consent(desk.house, ENERGY01, said(gone), "anna", now())
    assert (back.left_out, back.is_new, count_left(desk.house, ENERGY01, refs)) == (1, False, 0)

    assert find_records(desk.house, ENERGY01)["ref"].to_list() == [ref_of(desk, stays)]
    assert retain(desk.house, now() + timedelta(days=1000)).consents == 0
    assert retain(desk.house, now() + timedelta(days=1100)).consents == 1
    assert retain(desk.house, now() + timedelta(days=1100)).consents == 0
    assert find_records(desk.house, ENERGY01).is_empty()
    assert not [item for item in desk.objects(desk.settings.bucket_lake) if item.key.startswith("_consents/")]
    suppressed = find_suppressed(desk.house, ENERGY01)
    assert suppressed is not None and ref_of(desk, stays) in suppressed["ref"], "a no stays a fingerprint"


def test_a_no_under_a_number_without_country_code_counts_where_the_contracts_read_it(
    store_settings: Settings, tmp_path: Path
) -> None:
    """Contacts of a French principal: 0475123456 is +33475123456 to the gate."""
    edits = [Edit(f"renewal_{name}.odcs.yaml", "region, value: BE", "region, value: FR")
             for name in ("campaign.inbound", "results.internal", "results.outbound_return")]  # fmt: skip
    settings = with_papers(store_settings, tmp_path, *edits)
    with open_desk(settings, tmp_path) as desk:
        key = desk.house.subject_key(ENERGY01)
        belgian, french = (refer(key, SubjectKind.PHONE, f"{code}475123456").ref for code in ("+32", "+33"))
        one = replace(said("", channel="voice"), persons={"phone": "0475 12 34 56"})

        record_consent(desk.house, ENERGY01, one, "anna", now())
        assert find_records(desk.house, ENERGY01)["ref"].to_list() == [french], "a yes counts for one number"
        record_consent(desk.house, ENERGY01, replace(one, state="withdrawn", at=now().isoformat()), "anna", now())
        out = find_suppressed(desk.house, ENERGY01)
        assert out is not None and set(out["ref"]) == {belgian, french}
