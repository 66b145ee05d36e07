"""Exports of six platforms become canonical rows; what cannot be read is null, and said."""

from typing import Any

import polars as pl
import pytest
import yaml

from results.exports import GOLDEN, PLATFORMS, filled, findings_of, golden_export, mapping_of
from sluice.results.canonical import Canonical, to_canonical
from sluice.results.codes import CODES
from sluice.results.model import CANONICAL_COLUMNS
from sluice.terms import RefusalClass


def golden(platform: str) -> tuple[Canonical, dict[str, Any]]:
    expected = yaml.safe_load((GOLDEN / platform / "expected.yaml").read_text())
    return to_canonical(golden_export(platform), mapping_of(platform)), expected


def test_every_platform_has_a_golden_export() -> None:
    assert PLATFORMS == ["amazon_connect", "five9", "genesys_cloud", "nice_cxone", "salesforce_task", "vicidial"]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_export_gives_the_rows_and_findings_that_a_person_wrote_down(platform):
    canonical, expected = golden(platform)
    assert [filled(row) for row in canonical.frame.to_dicts()] == expected["rows"]
    assert findings_of(canonical) == expected["findings"]
    assert canonical.usable.to_list() == expected["usable"]
    export = golden_export(platform)
    assert tuple(canonical.frame.columns) == mapping_of(platform).names
    assert tuple(canonical.frame.columns[: len(CANONICAL_COLUMNS)]) == CANONICAL_COLUMNS
    assert set(canonical.frame.dtypes) == {pl.String}
    assert canonical.frame.height == export.height
    canonical = to_canonical(golden_export(platform).clear(), mapping_of(platform))
    assert (canonical.frame.height, canonical.findings) == (0, ())
    assert canonical.usable.to_list() == []


@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_needed_column_is_missed_by_its_name(platform: str) -> None:
    mapping, export = mapping_of(platform), golden_export(platform)
    needed = {
        name for one in mapping.columns if not one.optional for name in one.source.names if name in export.columns
    }
    assert len(needed) >= 3
    for name in needed:
        canonical = to_canonical(export.drop(name), mapping)
        assert set(canonical.missing_columns) == {name}
        assert {one.code for one in canonical.findings if one.row_index is None} == {"HEADER_MISSING_COLUMN"}
        assert canonical.frame.height == export.height


def test_the_order_of_columns_and_an_optional_one_decide_nothing_and_a_family_without_columns_is_missed():
    canonical = to_canonical(golden_export("five9").drop("note", "order_number"), mapping_of("five9"))
    assert canonical.missing_columns == ()
    assert canonical.frame["note"].null_count() == canonical.frame.height
    export, mapping = golden_export("genesys_cloud"), mapping_of("genesys_cloud")
    none = to_canonical(export.drop(pl.selectors.starts_with("CallRecordLastAttempt-")), mapping)
    half = to_canonical(export.drop("CallRecordLastResult-Home", "Mobile"), mapping)
    assert none.missing_columns == ("CallRecordLastAttempt-",)
    assert half.missing_columns == ("Mobile", "CallRecordLastResult-Home")
    export, mapping = golden_export("genesys_cloud"), mapping_of("genesys_cloud")
    turned = to_canonical(export.select(reversed(export.columns)), mapping)
    assert turned.frame.equals(to_canonical(export, mapping).frame)


def test_every_code_has_a_class_and_occurs_in_a_golden_export_and_no_finding_holds_a_value():
    seen = {finding.code for platform in PLATFORMS for finding in golden(platform)[0].findings}
    assert CODES - seen == {"HEADER_MISSING_COLUMN"}
    assert all(any(code.startswith(f"{each}_") for each in RefusalClass) for code in CODES)
    for platform in PLATFORMS:
        export = golden_export(platform)
        cells = {cell for name in export.columns for cell in export[name].to_list() if cell and len(cell) > 4}
        for finding in to_canonical(export, mapping_of(platform)).findings:
            assert not any(cell in f"{finding.rule} {finding.code} {finding.column}" for cell in cells)
