"""A file that came under OpenPGP, on its whole way: opened in the child, receipted, erased from as a whole, proven."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pysequoia import Cert, Tsk, encrypt

from returns.commands import at_terminal, sluice
from rights.asking import asked
from sluice.exchange.catalogue import find_copies
from sluice.lake.quarantine import unseal
from sluice.lake.read.pgp_in import public_part
from sluice.lake.s3.objects import StoredObject
from sluice.rights.copies.bench import open_bench
from sluice.rights.copies.find import find_places
from sluice.rights.copies.model import Outcome, Target
from sluice.rights.copies.stores import store_of
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.model import ErasureReport
from sluice.rights.person.identifiers import parse_identifier, refs_of
from sluice.settings import Settings
from sluice.terms import ExchangeId, Principal
from support.desk import Desk, open_desk
from support.night import AGREEMENT, Edit, Night, with_papers

ENERGY = Principal("energy01")
ANY_NAME = Edit("renewal_campaign.inbound.odcs.yaml", "renewal_campaign/*.csv", "renewal_campaign/*")


@dataclass(frozen=True)
class Post:
    """The desk of energy01, whose key is pinned."""

    night: Night
    principal: Tsk

    @property
    def desk(self) -> Desk:
        return self.night.desk

    @property
    def center(self) -> Cert:
        certificate, _ = public_part(self.desk.house.keyring.openpgp_key(ENERGY))
        return Cert.from_bytes(certificate.encode())

    def sent(self, content: bytes, name: str = "campaign.csv.pgp", by: Tsk | None = None) -> StoredObject:
        signer = (by or self.principal).signer()
        stored = self.desk.drop(encrypt(content, recipients=[self.center], signer=signer, armor=False), name)
        self.desk.work()
        return stored

    def rows(self, first: int, last: int) -> bytes:
        """A file of some of the contacts."""
        head, *lines = self.night.contacts.read_bytes().splitlines(keepends=True)
        return b"".join([head, *lines[first:last]])

    def erased(self, place: int) -> ErasureReport:
        record, phone = self.night.people(place + 1)[place]
        return run(self.desk.house, asked(self.night, phone, record).case_id, datetime.now(UTC))

    def kinds(self, stored: StoredObject) -> set[str]:
        found = find_copies(self.desk.house.conn, ExchangeId(self.desk.line(stored).id))
        return {copy.kind for copy in found}


def pinned(settings: Settings, folder: Path, key: Tsk, more: str = "") -> Settings:
    certificate = key.extract_certificate()
    pin = f"arrival:\n  pgpKey: {{file: sends.asc, fingerprint: {certificate.fingerprint.upper()}}}\n{more}delivery:\n"
    papers = with_papers(settings, folder, ANY_NAME, Edit(AGREEMENT, "\ndelivery:\n", f"\n{pin}"))
    (papers.principals_dir / ENERGY / "sends.asc").write_bytes(bytes(certificate))
    return papers


@pytest.fixture(scope="module")
def post(module_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    key, folder = Tsk.generate("files@energy01.example"), tmp_path_factory.mktemp("post")
    with open_desk(pinned(module_settings, folder, key), folder) as desk:
        yield Post(Night(desk, desk.campaign(40)[0]), key)


def test_it_goes_whole_when_its_index_names_the_person_and_stays_when_not(post: Post) -> None:
    mine, other = post.sent(post.rows(0, 10), "a.csv.pgp"), post.sent(post.rows(10, 20), "b.csv.pgp")
    copy = post.desk.drop(post.desk.house.objects.read(mine.bucket, mine.key, mine.version_id), "again.csv.pgp")
    post.desk.work()
    assert post.desk.line(copy).reason_code == "DUPLICATE_CONTENT"

    report = post.erased(1)

    assert (report.residual, report.doubts) == (0, 0)
    assert report.sealed == 1, "the other file: its index says that the person is not in it"
    assert "arrived" not in post.kinds(mine) | post.kinds(copy)
    assert {"arrived", "lake"} <= post.kinds(other)
    assert {line.ground for line in report.lines if line.outcome == Outcome.REMOVED} == {"NOT_READABLE_BY_ROWS"}
    assert "lake" in post.kinds(mine), "of the lake one row went"


def test_a_file_that_was_refused_whole_goes_with_the_person_it_names(post: Post) -> None:
    head, *lines = post.rows(20, 30).splitlines(keepends=True)
    post.desk.drop(post.rows(20, 30), "plain.csv")
    stored = post.sent(b"".join([head, *(line.replace(b";", b";?", 3) for line in lines)]), "spoilt.csv.pgp")
    assert post.desk.line(stored).decision == "refused"
    assert {"arrived", "quarantine.file", "index.rest"} <= post.kinds(stored)

    report = post.erased(21)

    assert (report.residual, report.doubts) == (0, 0)
    assert not {"arrived", "quarantine.file"} & post.kinds(stored)


def test_the_record_says_for_whom_and_by_whom_and_an_answer_gives_the_row_of_the_lake(post: Post) -> None:
    stored = post.sent(post.rows(30, 40))

    shown = post.desk.shown(stored)
    assert shown.record is not None
    assert (shown.line.decision, shown.line.rows_accepted) == ("accepted", 10)
    told = shown.record.how.dialect
    assert (told["container"], told["format"]) == ("pgp", "csv")
    assert told["encrypted_to"] == post.center.fingerprint
    assert told["signed_by"] == post.principal.extract_certificate().fingerprint
    assert not list((post.desk.settings.var / "work").iterdir()), "nothing that was opened stays"

    house, (record, phone) = post.desk.house, post.night.people(32)[31]
    key = house.subject_key(ENERGY)
    named = [parse_identifier(f"phone:{phone}", 1), parse_identifier(f"customer:{record}", 2)]
    target = Target(ENERGY, key, frozenset(refs_of(named, key, ENERGY).values()), (phone,), frozenset())
    with open_bench(house, target) as bench:
        read = {place.copy.kind: store_of(place.copy).read(bench, place.copy) for place in find_places(bench)}

    assert read["lake"].frame["customer_number"].to_list() == [record]
    assert (read["arrived"].frame.height, read["arrived"].apart) == (0, 1)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("another signer", "FORBIDDEN_PGP_SIGNER"),
        ("no signature", "FORBIDDEN_PGP_UNSIGNED"),
        ("another recipient", "FORBIDDEN_PGP_RECIPIENT"),
        ("changed", "UNREADABLE_PGP"),
    ],
)
def test_what_is_not_believed_is_sealed_as_it_came(post: Post, tmp_path: Path, wrong: str, code: str) -> None:
    other, text = Tsk.generate("other@x.example"), post.rows(30, 40)
    signer = None if wrong == "no signature" else (other if wrong == "another signer" else post.principal).signer()
    to = other.extract_certificate() if wrong == "another recipient" else post.center
    content = bytearray(encrypt(text, recipients=[to], signer=signer, armor=False))
    content[-30] ^= wrong == "changed"
    stored = post.desk.drop(bytes(content), "campaign.csv.pgp")
    post.desk.work()

    line, record = post.desk.line(stored), post.desk.shown(stored).record
    assert record is not None and line.receipt_at is not None
    assert (line.decision, line.reason_code) == ("refused", code)
    [kept] = [copy for copy in record.how_long.copies if copy.kind == "quarantine.file"]
    post.desk.house.objects.fetch(kept.bucket, kept.key, kept.version_id, tmp_path / "sealed")
    opened = unseal(tmp_path / "sealed", tmp_path / "opened", post.desk.house.keyring, ENERGY)
    assert opened.read_bytes() == bytes(content)


def test_the_command_shows_what_a_principal_encrypts_to(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    with at_terminal(post.desk, monkeypatch):
        shown = sluice("keys", "openpgp", "energy01")
    assert shown.document["fingerprint"] == post.center.fingerprint
    assert Cert.from_bytes(str(shown.document["certificate"]).encode()).fingerprint == post.center.fingerprint
    assert "PRIVATE" not in str(shown.document)


def test_a_plain_file_is_refused_where_the_agreement_wants_it_encrypted(
    store_settings: Settings, tmp_path: Path
) -> None:
    key = Tsk.generate("files@energy01.example")
    with open_desk(pinned(store_settings, tmp_path, key, "  mustBeEncrypted: true\n"), tmp_path) as desk:
        plain = desk.drop(desk.campaign(40)[0], "plain.csv")
        desk.work()
        assert desk.line(plain).reason_code == "FORBIDDEN_PGP_NOT_ENCRYPTED"


def test_nothing_encrypted_is_opened_where_no_key_is_pinned(store_settings: Settings, tmp_path: Path) -> None:
    with open_desk(with_papers(store_settings, tmp_path, ANY_NAME), tmp_path) as desk:
        stored = desk.drop(encrypt(b"a;b\n", passwords=["x"], armor=False), "x.csv.pgp")
        desk.work()
        assert desk.line(stored).reason_code == "FORBIDDEN_PGP_NOT_AGREED"
