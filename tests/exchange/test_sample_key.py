"""Which notes a person reads is decided by a key that the center holds, not by what a principal can know."""

from pathlib import Path

from sluice.agreement.folder.load import load_agreement, load_contract
from sluice.exchange.judging.content import read_content
from sluice.exchange.judging.job import Job
from sluice.keys import Keyring
from sluice.lake.read.reader import read_table
from sluice.lake.table import FormatRefusal
from sluice.sample.files import write_campaign
from sluice.settings import Settings, get_settings
from sluice.terms import Principal

CONTRACT, AGREEMENT = "energy01/renewal_campaign.inbound.odcs.yaml", "energy01/agreement-3.0.0.yaml"
ENERGY, TELECOM = Principal("energy01"), Principal("telecom01")


def drawn(file: Path, sample_key: str) -> set[int]:
    papers = get_settings().principals_dir
    job = Job(
        folder=file.parent,
        file=file,
        file_name=file.name,
        contract=load_contract(papers / CONTRACT),
        suites=(),
        subject_key="",
        sample_key=sample_key,
        origin=None,
        free_text=load_agreement(papers / AGREEMENT).free_text,
    )
    table = read_table(file, file_name=file.name)
    assert not isinstance(table, FormatRefusal)
    return {each.row for each in read_content(table, job).findings if each.code == "TEXT_SAMPLE"}


def test_the_sample_is_another_under_another_key_and_without_one(tmp_path: Path) -> None:
    file = tmp_path / "campaign.csv"
    write_campaign(file, 5_000, 7)

    ours, others, dry = drawn(file, "ours"), drawn(file, "others"), drawn(file, "")

    assert ours == drawn(file, "ours") and min(map(len, (ours, others, dry))) > 5
    assert len({frozenset(each) for each in (ours, others, dry)}) == 3


def test_the_key_is_the_principals_own_and_the_same_at_every_attempt(tmp_path: Path) -> None:
    first, again, elsewhere = (
        Keyring.open(Settings(var=tmp_path / var, home=tmp_path, keys_dir=tmp_path / "keys")) for var in "aab"
    )

    assert first.sample_key(ENERGY) == again.sample_key(ENERGY)
    assert len({first.sample_key(ENERGY), first.sample_key(TELECOM), elsewhere.sample_key(ENERGY)}) == 3
    assert not (tmp_path / "keys").exists()
