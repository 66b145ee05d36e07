"""The record of an exchange: what each column is for and how sensitive it is; who, where, until when; why not."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from documents.test_receipt import payload_of
from gate.papers import a_field
from sluice.agreement.folder.load import load_agreement
from sluice.exchange.early_refusal import countries_without_basis, finding, not_judged, refused
from sluice.ledger.record import ExchangeRecord
from sluice.registers.make import make_register
from sluice.registers.model import Article
from sluice.settings import Settings, get_settings
from sluice.terms import Verdict
from sluice.times import brussels_today
from support.desk import ENERGY, Desk, open_desk
from support.night import AGREEMENT, AT_ONCE, Call, Edit, change, open_night, with_papers

CONTRACT = "renewal_campaign.inbound.odcs.yaml"
LINE = "          - {property: "
CARE = "https://w3id.org/dpv#CustomerCare"
A6_1_B, A6_1_F = (f"https://w3id.org/dpv/legal/eu/gdpr#A6-1-{letter}" for letter in "bf")


def test_columns_under_two_bases_keep_their_own(store_settings: Settings, tmp_path: Path) -> None:
    settings = with_papers(store_settings, tmp_path)
    contract, purchase = settings.principals_dir / ENERGY[0] / CONTRACT, "https://w3id.org/dpv/pd#Purchase"
    said = f'{LINE}dataCategory, value: "{purchase}"}}\n'
    change(contract, said, f'{said}{LINE}purposeIris, value: ["{CARE}"]}}\n{LINE}legalBasis, value: "{A6_1_B}"}}\n')
    change(contract, "classification: confidential", "classification: restricted")
    with open_desk(settings, tmp_path) as desk:
        dropped = desk.drop(desk.campaign(20)[0])
        desk.work()
        record = desk.shown(dropped).record

    assert record is not None
    codes = {purpose.code: purpose.iri for purpose in record.why.purposes}
    bought = [line for line in record.what.columns if line.category == purchase]
    others = [line for line in record.what.columns if line.category != purchase]
    assert bought and {(line.legal_basis, codes[code]) for line in bought for code in line.purposes} == {(A6_1_B, CARE)}
    assert {line.legal_basis for line in others} == {A6_1_F} and CARE not in {
        codes[code] for line in others for code in line.purposes
    }
    assert {line.sensitivity for line in record.what.columns} == {"restricted"}, "as the contract says"
    assert "date" in {line.logical_type for line in record.what.columns}


def test_a_return_says_it_of_each_column_too(store_settings: Settings, tmp_path: Path) -> None:
    with open_night(with_papers(store_settings, tmp_path, AT_ONCE), tmp_path) as night:
        night.called(*(Call(f"c{number}", *person) for number, person in enumerate(night.people(12))))
        night.make()
        record = night.record(night.returns()[0])

    codes = {purpose.code for purpose in record.why.purposes}
    assert all(line.sensitivity and set(line.purposes) <= codes for line in record.what.columns)
    assert {code for line in record.what.columns for code in line.purposes} == codes


def test_art_9_outweighs_what_the_contract_says_and_silence_is_not_public() -> None:
    said = a_field("note", classification="public")

    assert said.sensitivity == "public"
    assert replace(said, art9_condition="https://w3id.org/dpv/legal/eu/gdpr#A9-2-a").sensitivity == "special_category"
    assert replace(said, classification=None).sensitivity == "confidential"


MAIL = """    - code: P-RENEW-MAIL
      iri: "https://w3id.org/dpv#DirectMarketing"
      text:
        nl: Klanten mailen over de verlenging, met hun toestemming.
        fr: Écrire aux clients, avec leur consentement.
        en: Mail customers about the renewal, with their consent.
      legalBasis: "https://w3id.org/dpv/legal/eu/gdpr#A6-1-a"
      basisHolder: principal
      channels: [email]
    - code: P-CARE
"""


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    settings = with_papers(store_settings, tmp_path)
    change(settings.principals_dir / ENERGY[0] / AGREEMENT, "    - code: P-CARE\n", MAIL)
    with open_desk(settings, tmp_path) as opened:
        yield opened


def test_the_record_names_the_purposes_that_a_column_is_for(desk: Desk) -> None:
    dropped = desk.drop(desk.campaign(20)[0])
    desk.work()

    record = desk.shown(dropped).record

    assert record is not None
    assert [(each.code, each.legal_basis[-6:]) for each in record.why.purposes] == [("P-RENEW", "A6-1-f")]


def test_a_register_counts_the_exchange_for_that_purpose_alone(desk: Desk) -> None:
    desk.drop(desk.campaign(20)[0])
    desk.work()

    tomorrow = brussels_today() + timedelta(days=1)
    register = make_register(desk.house.conn, desk.settings, Article.PROCESSOR, tomorrow, datetime.now(UTC))

    counts = {row.key.purpose: row.exchanges for row in register.rows if row.key.principal == ENERGY[0]}
    assert counts["P-RENEW"] == 1
    assert counts["P-RENEW-MAIL"] == 0, "declared, and never used"


PRINCIPALS = get_settings().principals_dir
OURS = """    - name: Object Store BV
      kbo: null
      address: "Voorbeeldkade 3, Amsterdam"
      contact: {role: privacy desk, email: privacy@store.example}
      processing: storage of exchanged files
      countries: [NL]
      transferBasis: null
      validFrom: 2026-01-01
      validTo: null
"""


def processor(name: str, country: str, first: int, last: int | None) -> str:
    """A sub-processor in force from and until so many days from today."""
    days = [brussels_today() + timedelta(days=each) for each in (first, last or 0)]
    text = OURS.replace("Object Store BV", name).replace("[NL]", f"[{country}]").replace("2026-01-01", str(days[0]))
    return text if last is None else text.replace("validTo: null", f"validTo: {days[1]}")


@contextmanager
def a_desk(settings: Settings, folder: Path, *edits: Edit) -> Iterator[Desk]:
    with open_desk(with_papers(settings, folder, *edits), folder) as desk:
        yield desk


def record_of(desk: Desk, content: bytes | Path, name: str = "file.csv") -> ExchangeRecord:
    dropped = desk.drop(content, name)
    desk.work()
    found = desk.shown(dropped).record
    assert found is not None
    return found


def test_only_sub_processors_of_that_day_and_their_countries_are_named(
    store_settings: Settings, tmp_path: Path
) -> None:
    listed = (
        processor("Over BV", "IT", -60, -1),
        processor("Last Day BV", "DE", -60, 0),
        processor("First Day BV", "FR", 0, None),
        processor("Not Yet BV", "ES", 1, None),
    )
    with a_desk(store_settings, tmp_path, Edit(AGREEMENT, OURS, "".join(listed))) as desk:
        record = record_of(desk, desk.campaign(20)[0])
    assert record.who.sub_processors == ("Last Day BV", "First Day BV")
    assert record.who.countries == ("BE", "DE", "FR")


@pytest.mark.parametrize(
    ("first", "last", "forbidden"), [(-9, None, {"US"}), (0, 0, {"US"}), (-9, -1, set()), (1, None, set())]
)
def test_a_country_without_a_basis_forbids_on_the_days_of_its_sub_processor_and_on_no_other(
    first: int, last: int | None, forbidden: set[str]
) -> None:
    agreement, today = load_agreement(PRINCIPALS / "energy01" / AGREEMENT), brussels_today()
    until = None if last is None else today + timedelta(days=last)
    abroad = replace(
        agreement.sub_processors[0],
        countries=("NL", "US"),
        transfer_basis=None,
        valid_from=today + timedelta(days=first),
        valid_to=until,
    )
    assert countries_without_basis(replace(agreement, sub_processors=(abroad,)), today) == forbidden
    based = replace(abroad, transfer_basis="https://w3id.org/dpv/legal/eu/gdpr#A46-2-c")
    assert countries_without_basis(replace(agreement, sub_processors=(based,)), today) == set()


def test_a_record_says_what_happens_at_the_end_of_the_agreement_and_a_refused_file_went_to_nobody(
    store_settings: Settings, tmp_path: Path
) -> None:
    with a_desk(store_settings, tmp_path, Edit(AGREEMENT, "recipients: []", "recipients: [Grid NV]")) as desk:
        taken = record_of(desk, desk.campaign(20)[0])
        refused = record_of(desk, b"a;b\n1;2\n", "other.csv")
        center = desk.settings.center
    assert taken.how_long.at_contract_end == refused.how_long.at_contract_end == "delete within 30 days"
    assert (taken.decision, taken.who.recipients) == ("accepted", (center, "Grid NV"))
    assert (refused.decision, refused.who.recipients) == ("refused", (center,))


CONTRACT = "renewal_campaign.inbound.odcs.yaml"
ANY_NAME = Edit(CONTRACT, "renewal_campaign/*.csv", "renewal_campaign/*")
AS_PARQUET = Edit(CONTRACT, 'format: csv\n    delimiter: ";"', "format: parquet")


def zip_of_nothing() -> bytes:
    target = io.BytesIO()
    zipfile.ZipFile(target, "w").close()
    return target.getvalue()


def table_of_nothing() -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table({}), target)
    return target.getvalue()


def reasons_in_receipt(desk: Desk, exchange_id: str) -> list[str]:
    """The codes that the receipt of an exchange gives."""
    key = f"energy01/receipts/renewal_campaign/{exchange_id}.json"
    said = payload_of(desk.house.objects.read(desk.settings.bucket_exchange, key))
    return [each["code"] for each in said["reasons"]]


@pytest.mark.stores
@pytest.mark.parametrize(
    ("edits", "name", "content", "code"),
    [
        ((ANY_NAME,), "leads.csv.zip", zip_of_nothing(), "ARCHIVE_MEMBERS"),
        ((ANY_NAME, AS_PARQUET), "leads.parquet", table_of_nothing(), "UNREADABLE_EMPTY_FILE"),
    ],
    ids=["zip", "parquet"],
)
def test_a_container_of_nothing_is_refused_with_its_reason(
    store_settings: Settings, tmp_path: Path, edits: tuple[Edit, ...], name: str, content: bytes, code: str
) -> None:
    with open_desk(with_papers(store_settings, tmp_path, *edits), tmp_path) as desk:
        dropped = desk.drop(content, name)
        desk.work()

        line, record = desk.line(dropped), desk.shown(dropped).record
        assert record is not None
        assert (line.decision, line.reason_code) == ("refused", code)
        assert [(each.code, each.count) for each in record.reasons] == [(code, 1)]
        assert reasons_in_receipt(desk, line.id) == [code]


def test_nobody_can_refuse_without_a_reason() -> None:
    for verdict in (Verdict.REFUSED, Verdict.UNDECIDED):
        with pytest.raises(ValueError):
            refused((), verdict)
        assert refused((finding("NAME_UNSAFE", "name.safe"),), verdict).verdict is verdict
    assert not_judged().reasons == (), "the control: what is not judged yet needs none"
