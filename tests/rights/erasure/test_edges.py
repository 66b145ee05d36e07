"""Files that nobody can read, and returns that are no plain tables: what goes whole, what keeps a certificate back."""

from dataclasses import replace
from pathlib import Path

import pytest
from pysequoia import Tsk

from gate.papers import a_contract, a_field
from rights.asking import asked
from rights.town import night_fixture, now
from scan.pdfs import Page, cmap, codes_of, pdf_with, shown_in
from sluice.agreement.model import FieldRole
from sluice.exchange.catalogue import find_copies
from sluice.exchange.drain import reconcile
from sluice.exchange.house import open_house
from sluice.exchange.workroom import private_folder
from sluice.lake.s3.objects import StoredObject
from sluice.rights.copies.find import is_pointing
from sluice.rights.copies.model import Copy, Decided, Fate, Outcome, Target
from sluice.rights.copies.scope import fate_of, is_decided
from sluice.rights.copies.where import where
from sluice.rights.erasure.certificate import NotProven, issue
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.model import ErasureReport
from sluice.rights.person.identifiers import parse_identifier
from sluice.settings import Settings
from sluice.terms import Direction, ExchangeId, FieldGroup, Flow, Principal, RoleProfile
from support.night import AGREEMENT, AT_ONCE, CONTRACT, Call, Night, add_contract, open_night, seal_returns, with_papers

ENERGY = Principal("energy01")
PHONE_OF_RETURN = """      - name: phone
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
"""
NO_PHONE = Flow("no_phone")
PROSE = "Geen tabel, maar een brief van een bladzijde. " * 40
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
UNREADABLE = {
    "picture": PNG,
    "scanned pages": b"%PDF-1.7\n1 0 obj\n<</Subtype/Image/Filter/DCTDecode/Length 3>>\nstream\n\xff\xd8\xff\nendstream"
    b"\nendobj\n",
    "font without letters": b"%PDF-1.7\n1 0 obj\n<</Type/Font/Subtype/Type0/Encoding/Identity-H>>\nendobj\n%%EOF",
    "unknown form": b"\x00\x01\x02\xfe\xff neither \x80" * 40,
}


def called_three(night: Night) -> None:
    night.called(*(Call(f"c{n}", *person) for n, person in enumerate(night.people(3))))
    night.make()
    night.make(flow=NO_PHONE)


night = night_fixture(
    called_three, AT_ONCE, papers=lambda settings: add_contract(settings, CONTRACT, NO_PHONE, (PHONE_OF_RETURN, ""))
)


def of_subset_font(told: str, is_said: bool) -> bytes:
    """The commonest subset font: codes of one byte, and a table that says their letters or none."""
    codes = codes_of(told)
    font = b"<</Type/Font/Subtype/TrueType/BaseFont/ABCDEF+Foo%b>>" % (b"/ToUnicode 6 0 R" * is_said)
    return pdf_with(Page(font, shown_in(told, codes), [cmap(codes)] * is_said))


def test_what_is_no_table_or_unreadable_goes_whole_if_it_names_the_person_or_nobody_can_tell(night: Night) -> None:
    house, bucket, (record, phone) = night.desk.house, night.desk.settings.bucket_exchange, night.people(2)[1]
    told = f"Contract van klant {record}, te bellen op {phone}."

    def drop(content: bytes, name: str, flow: str = "renewal_campaign") -> StoredObject:
        return night.desk.drop(content, name, ("energy01", flow))

    letters = {
        (flow, names): drop((PROSE + phone * names + PROSE).encode(), f"odd-{names}.csv", flow)
        for flow in ("renewal_campaign", "no_such_flow")
        for names in (False, True)
    }
    unread = [
        drop(content + str(number).encode(), f"{number}{ending}")
        for number, content in enumerate(UNREADABLE.values())
        for ending in (".pdf", "_5.csv")  # refused by their names, and by what is in them
    ]
    told_by_font = [drop(of_subset_font(told, said), f"contract-{said}.pdf") for said in (True, False)]
    night.desk.work()
    refused = {night.desk.line(each).id for each in unread}
    found = list(where(house, [parse_identifier(f"phone:{phone}", 1)], [ENERGY]))
    assert refused.isdisjoint({each.exchange for each in found}), "nobody says they are theirs"
    case = asked(night, phone, record)

    report = run(house, case.case_id, now())

    assert (report.residual, report.doubts) == (0, 0) and issue(house, case.case_id)
    left = {key for key, each in letters.items() if list(house.objects.list_versions(bucket, each.key))}
    assert left == {("renewal_campaign", False), ("no_such_flow", False)}, "only what names somebody else"
    for each in (*unread, *told_by_font):
        assert not list(house.objects.list_versions(bucket, each.key)), each.key
        kinds = {copy.kind for copy in find_copies(house.conn, ExchangeId(night.desk.line(each).id))}
        assert {"arrived", "quarantine.file"}.isdisjoint(kinds)
    whole = {(line.store, line.ground): line.objects for line in report.lines if line.outcome == Outcome.REMOVED}
    assert whole["files as they came", "NOT_READABLE_BY_ROWS"] >= len(unread)
    assert whole["quarantine", "NOT_READABLE_BY_ROWS"] >= len(unread) // 2, "what was refused by what is in it"
    [sent] = [
        content for name, content in night.delivered().items() if f"/{NO_PHONE}/" in name and name.endswith(".csv")
    ]
    assert [each.encode() in sent for each, _ in night.people(3)] == [True, False, True]


def test_who_asks_by_telephone_leaves_a_return_that_has_only_their_customer_number(night: Night) -> None:
    house, (record, phone) = night.desk.house, night.people(3)[2]
    case = asked(night, phone, "")

    report = run(house, case.case_id, now())

    assert (report.residual, report.doubts) == (0, 0)
    [sent] = [
        content for name, content in night.delivered().items() if f"/{NO_PHONE}/" in name and name.endswith(".csv")
    ]
    assert record.encode() not in sent and night.people(1)[0][0].encode() in sent
    assert all(number.encode() not in sent for _, number in night.people(3)), "control: no telephone in it"


def test_what_nobody_can_read_and_nobody_refused_keeps_the_certificate_back(night: Night) -> None:
    house, lake, (record, phone) = night.desk.house, night.desk.settings.bucket_lake, night.people(7)[6]
    case = asked(night, phone, record)
    (night.desk.folder / "picture.png").write_bytes(PNG)
    house.objects.put(lake, "energy01/left/over.png", night.desk.folder / "picture.png", "image/png")

    report = run(house, case.case_id, now())

    assert (report.residual, report.doubts) == (0, 1)
    assert [(each.store, each.exchange_id, each.reason) for each in report.unread] == [("lake", None, "PICTURE")]
    with pytest.raises(NotProven):
        issue(house, case.case_id)
    house.objects.delete_others(lake, "energy01/left/over.png", frozenset())
    assert run(house, case.case_id, now()).doubts == 0


def test_reconcile_removes_the_folder_of_the_dead_and_leaves_that_of_an_erasure_at_work(night: Night) -> None:
    dead = night.desk.settings.var / "work" / "3f0e5c1a-9f0b-4a3e-8a53-000000000000"
    dead.mkdir(parents=True)
    with open_house(night.desk.settings) as other:
        with private_folder(night.desk.house) as folder:
            (folder / "copy").write_bytes(b"x")
            reconcile(other)
            assert ((folder / "copy").exists(), dead.exists()) == (True, False)
        assert not folder.exists()


def test_a_return_sealed_to_its_principal_goes_whole_when_its_index_names_the_person(
    store_settings: Settings, tmp_path: Path
) -> None:
    key = Tsk.generate("exchange@energy01.example")
    settings = with_papers(store_settings, tmp_path, AT_ONCE)
    seal_returns(settings.principals_dir / "energy01" / AGREEMENT, key.extract_certificate())
    with open_night(settings, tmp_path, contacts=10) as night:
        people = [each for each in night.people(10) if len(each[1]) >= 9]
        night.called(*(Call(f"c{n}", *person) for n, person in enumerate(people[:2])))
        night.make()
        line, house = night.returns()[0], night.desk.house

        def erased(place: int) -> ErasureReport:
            record, phone = people[place]
            return run(house, asked(night, phone, record).case_id, now())

        def kinds() -> set[str]:
            return {copy.kind for copy in find_copies(house.conn, ExchangeId(line.id))}

        untold = erased(5)
        assert (untold.doubts, untold.sealed) == (0, 2), "its index says that they are not in it"
        assert {"return", "delivered"} <= kinds(), "nobody of it was erased"
        report = erased(1)
        assert report.sealed == 0 and not {"return", "delivered"} & kinds()
        assert not [name for name in night.delivered() if name.endswith(".pgp")]
        assert {row.ground for row in report.lines if row.outcome == Outcome.REMOVED} == {"NOT_READABLE_BY_ROWS"}


NOTE_GROUP = FieldGroup.NOTE_FREE_TEXT
A_COPY = Copy(
    ExchangeId("e"), "arrived", Direction.INBOUND, Flow("f"), "b", "k", "v", sha256="", contract=None, columns=()
)


def field(group: FieldGroup, profile: RoleProfile) -> FieldRole:
    return replace(a_field(f"{group} of {profile}"), group=group, role_profile=profile)


SENT_NOTE = field(NOTE_GROUP, RoleProfile.PRINCIPAL_CONTROLLER)
ADDED_NOTE = field(NOTE_GROUP, RoleProfile.SEED_OWNER)
AGENT = field(FieldGroup.AGENT_REF, RoleProfile.SEED_OWNER)


@pytest.mark.parametrize(
    ("fields", "decided", "expected"),
    [
        ((SENT_NOTE,), {("principal", NOTE_GROUP)}, True),
        ((SENT_NOTE,), {("center", NOTE_GROUP)}, False),
        ((SENT_NOTE, ADDED_NOTE), {("principal", NOTE_GROUP)}, False),
        ((SENT_NOTE, ADDED_NOTE), {("principal", NOTE_GROUP), ("center", NOTE_GROUP)}, True),
        ((SENT_NOTE, AGENT), {("principal", NOTE_GROUP)}, True),
        (None, {("center", NOTE_GROUP)}, False),
        (None, {("principal", NOTE_GROUP)}, True),
        (None, set(), False),
    ],
)
def test_a_copy_goes_once_everybody_who_decides_of_it_has_decided(
    fields: tuple[FieldRole, ...] | None, decided: set[Decided], expected: bool
) -> None:
    copy = replace(A_COPY, kind="lake", contract=None if fields is None else a_contract(*fields))
    assert is_decided(copy, Target(ENERGY, b"", frozenset(), (), frozenset(decided))) is expected
    index = replace(copy, kind="index")
    assert is_pointing(index, {"e"}) and not is_pointing(copy, {"e"})
    assert not is_pointing(index, set()), "an index stays with a copy that stays, and no other does"


SENT, OURS = ("principal", FieldGroup.CALL_EVENT), ("center", FieldGroup.CALL_EVENT)
NOTE, THEIRS = ("center", FieldGroup.NOTE_FREE_TEXT), ("principal", FieldGroup.IDENTITY)
CALLS = a_contract(a_field("called_at", group=FieldGroup.CALL_EVENT, role_profile=RoleProfile.SEED_OWNER))
OLDER = replace(A_COPY, kind="lake", contract=CALLS)
"""A copy of what agents added, by the papers of its day the center's."""


@pytest.mark.parametrize(
    ("copy", "decided", "undecided", "parts", "fate"),
    [
        (OLDER, {OURS}, set(), {OURS, THEIRS}, Fate.GOES),
        (OLDER, {THEIRS}, {OURS}, {OURS, THEIRS}, Fate.WAITS),
        (OLDER, {THEIRS}, set(), {OURS, THEIRS}, Fate.STAYS),
        (OLDER, {SENT}, set(), {SENT, NOTE}, Fate.GOES),  # somebody else decides of the group now
        (OLDER, {NOTE}, {SENT}, {SENT, NOTE}, Fate.WAITS),
        (OLDER, {THEIRS, NOTE}, set(), {THEIRS, NOTE}, Fate.GOES),  # nobody has that group now
        (OLDER, {THEIRS}, set(), {THEIRS, NOTE}, Fate.STAYS),
        (A_COPY, {THEIRS}, {OURS}, {THEIRS, OURS}, Fate.GOES),  # without a contract its principal decides
        (A_COPY, {OURS}, {THEIRS}, {THEIRS, OURS}, Fate.WAITS),
        (A_COPY, {OURS}, set(), {THEIRS, OURS}, Fate.STAYS),
        (A_COPY, {OURS, NOTE}, set(), {OURS, NOTE}, Fate.GOES),  # the principal decides of nothing: all do
        (A_COPY, {OURS}, {NOTE}, {OURS, NOTE}, Fate.WAITS),
        (A_COPY, {OURS}, set(), {OURS, NOTE}, Fate.STAYS),
    ],
)
def test_a_copy_goes_as_those_decide_who_decide_now(
    copy: Copy, decided: set[Decided], undecided: set[Decided], parts: set[Decided], fate: Fate
) -> None:
    target = Target(ENERGY, b"", frozenset(), (), frozenset(decided), frozenset(undecided), frozenset(parts))
    assert fate_of(copy, target) is fate
