"""Which notes a person reads is decided by a key that the center holds, not by what a principal can know."""

import base64
from pathlib import Path

from sluice.agreement.load import load_agreement, load_contract
from sluice.exchange.content import read_content
from sluice.exchange.job import Job
from sluice.lake.reader import read_table
from sluice.lake.table import FormatRefusal
from sluice.sample.files import write_campaign
from sluice.settings import get_settings

CONTRACT, AGREEMENT = "energy01/renewal_campaign.inbound.odcs.yaml", "energy01/agreement-3.0.0.yaml"


def drawn(file: Path, key: bytes) -> set[int]:
    papers = get_settings().principals_dir
    job = Job(
        folder=file.parent,
        file=file,
        file_name=file.name,
        contract=load_contract(papers / CONTRACT),
        suites=(),
        subject_key=base64.b64encode(key).decode(),
        origin=None,
        free_text=load_agreement(papers / AGREEMENT).free_text,
    )
    table = read_table(file, file_name=file.name)
    assert not isinstance(table, FormatRefusal)
    return {each.row for each in read_content(table, job).findings if each.code == "TEXT_SAMPLE"}


def test_the_sample_is_another_under_another_key_and_without_one(tmp_path: Path) -> None:
    file, key = tmp_path / "campaign.csv", bytes(range(32))
    write_campaign(file, 5_000, 7)

    ours, others, dry = drawn(file, key), drawn(file, key[::-1]), drawn(file, b"")

    assert ours == drawn(file, key) and min(map(len, (ours, others, dry))) > 5
    assert len({frozenset(each) for each in (ours, others, dry)}) == 3
