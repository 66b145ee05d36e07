"""What an erasure meets beside the ordinary: damage, other people's files, work under way, two controllers."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from pysequoia import Tsk

from gate.papers import a_contract, a_field
from rights.asking import asked
from scan.pdfs import Page, cmap, codes_of, pdf_with, shown_in
from sluice.agreement.model import FieldRole
from sluice.exchange.catalogue import find_copies, get_copy
from sluice.exchange.drain import reconcile
from sluice.exchange.effects.run import EFFECTS, do_effects
from sluice.exchange.house import open_house
from sluice.exchange.persons.suppressed import keep_out
from sluice.exchange.read import list_exchanges
from sluice.exchange.workroom import private_folder
from sluice.lake.quarantine import unseal
from sluice.rights.copies.find import is_pointing
from sluice.rights.copies.model import Copy, Decided, Outcome, Target
from sluice.rights.copies.scope import is_decided
from sluice.rights.copies.where import where
from sluice.rights.erasure.certificate import NotProven, issue
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.model import ErasureReport
from sluice.rights.person.identifiers import parse_identifier, refs_of
from sluice.settings import Settings
from sluice.subject.suppression import Suppression
from sluice.terms import Direction, ExchangeId, FieldGroup, Flow, Principal, RoleProfile
from support.copies import Copies
from support.night import (
    AGREEMENT,
    AT_ONCE,
    CONTRACT,
    Call,
    Edit,
    Night,
    copied_night,
    open_night,
    seal_returns,
    three_returned,
    with_papers,
)

ENERGY = Principal("energy01")
WITHOUT_PHONE = Edit(
    CONTRACT,
    """      - name: phone
        logicalType: string
        required: false
        classification: confidential
        customProperties:
          - {property: fieldGroup, value: contact_point}
          - {property: dataCategory, value: "https://w3id.org/dpv/pd#TelephoneNumber"}
          - {property: purposeIris, value: ["https://w3id.org/dpv#DirectMarketing"]}
          - {property: legalBasis, value: "https://w3id.org/dpv/legal/eu/gdpr#A6-1-f"}
          - {property: basisHolder, value: principal}
          - {property: dataOrigin, value: provided}
          - {property: source, value: contacts.phone}
""",
    "",
)
ARRIVED = "energy01/inbound/renewal_campaign/file.csv"
PROSE = "Geen tabel, maar een brief van een bladzijde. " * 40


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    """An installation in which three persons were called and returned."""
    with copied_night(copies, tmp_path, fill=three_returned) as opened:
        yield opened


def call_three(night: Night) -> None:
    night.called(*(Call(f"c{n}", *person) for n, person in enumerate(night.people(3))))
    night.make()


def erase(night: Night, place: int) -> ErasureReport:
    record, phone = night.people(place + 1)[place]
    return run(night.desk.house, asked(night, phone, record).case_id, datetime.now(UTC))


def inbound(night: Night) -> ExchangeId:
    return ExchangeId(list_exchanges(night.desk.house.conn, direction=Direction.INBOUND)[-1].id)


def test_who_asks_by_telephone_leaves_a_return_that_has_only_their_customer_number(
    store_settings: Settings, tmp_path: Path
) -> None:
    papers = with_papers(store_settings, tmp_path, AT_ONCE, WITHOUT_PHONE)
    with open_night(papers, tmp_path) as night:
        call_three(night)
        _, phone = night.people(3)[1]
        case = asked(night, phone, "")

        report = run(night.desk.house, case.case_id, datetime.now(UTC))

        assert (report.residual, report.doubts) == (0, 0)
        [sent] = [content for name, content in night.delivered().items() if name.endswith(".csv")]
        assert [each.encode() in sent for each, _ in night.people(3)] == [True, False, True]
        assert all(number.encode() not in sent for _, number in night.people(3)), "control: no telephone in it"


def test_a_sweep_that_comes_late_leaves_what_the_erasure_put_there(night: Night) -> None:
    house, exchange = night.desk.house, inbound(night)
    before = get_copy(house.conn, exchange, "lake")
    erase(night, 1)

    EFFECTS["sweep"](house, exchange)

    after = get_copy(house.conn, exchange, "lake")
    assert after.version_id != before.version_id
    rows = pl.read_parquet(io.BytesIO(house.objects.read(after.bucket, after.key, after.version_id)))
    assert rows.height == 39
    house.objects.put(after.bucket, after.key.replace("part-0", "part-9"), b"rest of a dead try", "x")
    EFFECTS["sweep"](house, exchange)
    prefix = after.key.rpartition("/")[0] + "/"
    left = {item.key.rpartition("/")[2] for item in house.objects.list_versions(after.bucket, prefix)}
    assert left == {"part-0.parquet", "_receipt.json"}, "and still sweeps"


def test_a_delivery_that_comes_late_takes_the_edited_file(night: Night) -> None:
    house = night.desk.house
    erase(night, 1)
    line = night.returns()[0]
    house.conn.execute("update outbox set done_at = null, next_attempt_at = now() where effect = 'delivery'")

    night.make()
    do_effects(house)  # lineage hears of what the erasure edited

    assert night.desk.sql("select 1 from outbox where done_at is null") == []
    file = pl.read_csv(io.BytesIO(night.file(line)), separator=";", infer_schema=False)
    assert file["customer_number"].to_list() == [night.people(3)[0][0], night.people(3)[2][0]]


def test_reconcile_removes_the_folder_of_the_dead_and_leaves_that_of_an_erasure_at_work(night: Night) -> None:
    dead = night.desk.settings.var / "work" / "3f0e5c1a-9f0b-4a3e-8a53-000000000000"
    dead.mkdir(parents=True)
    with open_house(night.desk.settings) as other:
        with private_folder(night.desk.house) as folder:
            (folder / "copy").write_bytes(b"x")
            reconcile(other)
            assert ((folder / "copy").exists(), dead.exists()) == (True, False)
        assert not folder.exists()


@pytest.mark.parametrize(("named", "outcome"), [(False, 0), (True, 1)], ids=["somebody else's", "theirs"])
@pytest.mark.parametrize("flow", ["renewal_campaign", "no_such_flow"])
def test_a_file_that_is_no_table_goes_only_if_it_names_the_person(
    night: Night, flow: str, named: bool, outcome: int
) -> None:
    house, settings = night.desk.house, night.desk.settings
    phone = night.people(2)[1][1]
    stored = night.desk.drop((PROSE + phone * named + PROSE).encode(), "odd.csv", ("energy01", flow))
    night.desk.work()

    report = erase(night, 1)

    assert sum(line.objects for line in report.lines if line.outcome == Outcome.REMOVED) >= outcome
    there = list(house.objects.list_versions(settings.bucket_exchange, stored.key))
    assert len(there) == 1 - outcome
    assert report.residual == 0


PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
SCANNED_PAGES = (
    b"%PDF-1.7\n1 0 obj\n<</Subtype/Image/Filter/DCTDecode/Length 3>>\nstream\n\xff\xd8\xff\nendstream\nendobj\n"
)
NAMELESS = b"%PDF-1.7\n1 0 obj\n<</Type/Font/Subtype/Type0/Encoding/Identity-H>>\nendobj\n%%EOF"


@pytest.mark.parametrize(
    ("name", "stores"),
    [("contract.pdf", {"files as they came"}), ("campaign_5.csv", {"files as they came", "quarantine"})],
    ids=["refused by its name", "refused by what is in it"],
)
@pytest.mark.parametrize(
    "content",
    [PNG, SCANNED_PAGES, NAMELESS, b"\x00\x01\x02\xfe\xff neither \x80" * 40],
    ids=["picture", "scanned pages", "font without letters", "unknown form"],
)
def test_a_refused_file_that_nobody_can_read_goes_whole_and_names_nobody(
    night: Night, content: bytes, name: str, stores: set[str]
) -> None:
    record, phone = night.people(2)[1]
    stored = night.desk.drop(content, name, ("energy01", "renewal_campaign"))
    night.desk.work()
    refused = ExchangeId(list_exchanges(night.desk.house.conn, direction=Direction.INBOUND)[0].id)
    them = [parse_identifier(f"phone:{phone}", 1)]
    assert refused not in {each.exchange for each in where(night.desk.house, them, [ENERGY])}, (
        "nobody says it is theirs"
    )

    report = run(night.desk.house, asked(night, phone, record).case_id, datetime.now(UTC))

    whole = [line for line in report.lines if line.outcome == Outcome.REMOVED]
    assert {(line.store, line.ground) for line in whole} == {(store, "NOT_READABLE_BY_ROWS") for store in stores}
    assert (report.residual, report.doubts) == (0, 0)
    assert not list(night.desk.house.objects.list_versions(night.desk.settings.bucket_exchange, stored.key))
    assert {"arrived", "quarantine.file"}.isdisjoint(copy.kind for copy in find_copies(night.desk.house.conn, refused))


@pytest.mark.parametrize("is_said", [True, False], ids=["through its table", "by nobody"])
def test_a_pdf_that_names_the_person_by_numbers_of_its_own_font_is_gone_before_a_certificate(
    night: Night, is_said: bool
) -> None:
    """The commonest subset font: codes of one byte, and a table that says their letters or none."""
    house, (record, phone) = night.desk.house, night.people(2)[1]
    told = f"Contract van klant {record}, te bellen op {phone}."
    codes = codes_of(told)
    font = b"<</Type/Font/Subtype/TrueType/BaseFont/ABCDEF+Foo%b>>" % (b"/ToUnicode 6 0 R" * is_said)
    content = pdf_with(Page(font, shown_in(told, codes), [cmap(codes)] * is_said))
    stored = night.desk.drop(content, "contract.pdf", ("energy01", "renewal_campaign"))
    night.desk.work()

    case = asked(night, phone, record)
    report = run(house, case.case_id, datetime.now(UTC))

    assert not list(house.objects.list_versions(night.desk.settings.bucket_exchange, stored.key))
    assert (report.residual, report.doubts) == (0, 0)
    issue(house, case.case_id)


def test_what_nobody_can_read_and_nobody_refused_keeps_the_certificate_back(night: Night) -> None:
    house, (record, phone) = night.desk.house, night.people(2)[1]
    case = asked(night, phone, record)
    picture = night.desk.folder / "picture.png"
    picture.write_bytes(PNG)
    house.objects.put(night.desk.settings.bucket_lake, "energy01/left/over.png", picture, "image/png")

    report = run(house, case.case_id, datetime.now(UTC))

    assert (report.residual, report.doubts) == (0, 1)
    assert [(each.store, each.exchange_id, each.reason) for each in report.unread] == [("lake", None, "PICTURE")]
    with pytest.raises(NotProven):
        issue(house, case.case_id)


def test_the_edited_bytes_from_the_principal_itself_are_an_arrival(night: Night) -> None:
    erase(night, 1)
    edited = night.desk.house.objects.read(night.desk.settings.bucket_exchange, ARRIVED)
    assert night.desk.open_new() == 0
    night.desk.drop(edited)
    assert night.desk.open_new() == 1


def test_rows_of_the_erased_are_counted_and_not_kept_those_of_the_held_are(night: Night) -> None:
    house = night.desk.house
    erase(night, 1)
    person = (parse_identifier(f"phone:{night.people(3)[2][1]}", 1),)
    refs = frozenset(refs_of(person, house.subject_key(ENERGY), ENERGY).values())
    keep_out(house, ENERGY, refs, Suppression.OBJECTED, cause="test", case_id=None, now=datetime.now(UTC))
    again = night.contacts.read_bytes() + b"\n"

    dropped = night.desk.drop(again, "again.csv")
    night.desk.work()

    shown = night.desk.shown(dropped)
    assert shown.record is not None
    assert shown.record.right_treatment.held_back == {"erased": 1, "objected": 1}
    assert shown.record.what.rows_held == 2
    [held] = [copy for copy in shown.record.how_long.copies if copy.kind == "quarantine.held"]
    sealed, opened = night.desk.folder / "sealed", night.desk.folder / "opened"
    house.objects.fetch(held.bucket, held.key, held.version_id, sealed)
    rows = pl.read_parquet(unseal(sealed, opened, house.keyring, ENERGY))
    assert (held.rows, rows["customer_number"].to_list()) == (1, [night.people(3)[2][0]])


def test_a_return_sealed_to_its_principal_goes_whole_when_its_index_names_the_person(
    store_settings: Settings, tmp_path: Path
) -> None:
    key = Tsk.generate("exchange@energy01.example")
    settings = with_papers(store_settings, tmp_path, AT_ONCE)
    seal_returns(settings.principals_dir / "energy01" / AGREEMENT, key.extract_certificate())
    with open_night(settings, tmp_path) as night:
        call_three(night)
        line = night.returns()[0]

        untold = erase(night, 7)
        assert (untold.doubts, untold.sealed) == (0, 2), "its index says that they are not in it"
        kinds = {copy.kind for copy in find_copies(night.desk.house.conn, ExchangeId(line.id))}
        assert {"return", "delivered"} <= kinds, "nobody of it was erased"
        report = erase(night, 1)
        assert report.sealed == 0

        kinds = {copy.kind for copy in find_copies(night.desk.house.conn, ExchangeId(line.id))}
        assert not {"return", "delivered"} & kinds
        assert not [name for name in night.delivered() if name.endswith(".pgp")]
        assert {row.ground for row in report.lines if row.outcome == Outcome.REMOVED} == {"NOT_READABLE_BY_ROWS"}


def field(group: FieldGroup, profile: RoleProfile) -> FieldRole:
    return replace(a_field(f"{group} of {profile}"), group=group, role_profile=profile)


NOTE = FieldGroup.NOTE_FREE_TEXT
SENT = field(NOTE, RoleProfile.PRINCIPAL_CONTROLLER)
ADDED = field(NOTE, RoleProfile.SEED_OWNER)
AGENT = field(FieldGroup.AGENT_REF, RoleProfile.SEED_OWNER)


@pytest.mark.parametrize(
    ("fields", "decided", "expected"),
    [
        pytest.param((SENT,), {("principal", NOTE)}, True, id="sent-principal"),
        pytest.param((SENT,), {("center", NOTE)}, False, id="sent-center"),
        pytest.param((SENT, ADDED), {("principal", NOTE)}, False, id="both-principal"),
        pytest.param((SENT, ADDED), {("principal", NOTE), ("center", NOTE)}, True, id="both-both"),
        pytest.param((SENT, AGENT), {("principal", NOTE)}, True, id="agent-principal"),
        pytest.param(None, {("center", NOTE)}, False, id="unread-center"),
        pytest.param(None, {("principal", NOTE)}, True, id="unread-principal"),
        pytest.param(None, set(), False, id="unread-nobody"),
    ],
)
def test_a_copy_goes_once_everybody_who_decides_of_it_has_decided(
    fields: tuple[FieldRole, ...] | None, decided: set[Decided], expected: bool
) -> None:
    copy = Copy(
        exchange_id=ExchangeId("e"),
        kind="lake",
        direction=Direction.INBOUND,
        flow=Flow("f"),
        bucket="b",
        key="k",
        version_id="v",
        sha256="",
        contract=None if fields is None else a_contract(*fields),
        columns=(),
    )
    assert is_decided(copy, Target(ENERGY, b"", frozenset(), (), frozenset(decided))) is expected
    assert is_pointing(replace(copy, kind="index"), {"e"}) and not is_pointing(copy, {"e"})
    assert not is_pointing(replace(copy, kind="index"), set()), (
        "an index stays with a copy that stays, and no other does"
    )


def test_a_prepared_return_that_names_the_person_is_made_again_before_anything_is_scanned(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_night(store_settings, tmp_path) as night:
        call_three(night)
        [waiting] = night.returns()
        assert waiting.decision == "open", "it waits for a second person"
        record, phone = night.people(1)[0]
        case = asked(night, phone, record)
        with monkeypatch.context() as patched:
            patched.setattr("sluice.rights.erasure.erase.remake_prepared", lambda *_: None)
            control = run(night.desk.house, case.case_id, datetime.now(UTC))
            assert control.residual == 1, "it lies there, and names the first of the three"

        report = run(night.desk.house, case.case_id, datetime.now(UTC))

        newest, *older = night.returns()
        assert (report.residual, report.doubts) == (0, 0)
        assert newest.decision == "open" and waiting.id in [line.id for line in older]
        night.release(newest)
        sent = night.file(night.returns()[0]).decode()
        assert [night.people(3)[n][0] in sent for n in range(3)] == [False, True, True]
