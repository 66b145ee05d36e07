"""A mapping file loads, or names file, line, code and cure of everything wrong with it."""

import hashlib
from pathlib import Path

import pytest

from results.exports import MAPPINGS, PLATFORMS
from sluice.agreement.model import Problem
from sluice.results.mapping import load_mapping
from sluice.results.mapping_codes import MAPPING_CODES
from sluice.results.model import CANONICAL_COLUMNS, MappingInvalid, Take, TimeReading, Unit

SOUND = """\
platform: tiny
version: "1.0.0"
date: 2026-11-01
means: A platform of four columns.
null_words: ["-"]
columns:
  contact_id: {column: id}
  updated_at: {column: changed, format: "%d/%m/%Y %H:%M", zone: Europe/Brussels}
  started_at: {joined: [day, time], format: "%d/%m/%Y %I:%M %p", zone: Europe/Brussels, plus: [wait], unit: "MM:SS"}
  note: {first_of: [remark, comment], null_words: [geen]}
  talk_seconds: {column: ms, unit: milliseconds}
extra:
  score: {cell: {column: own, fields: [a, score], field: score}}
"""


FAULTS = [
    ("MAP-002", 2, 'version: "1.0.0"', "version: 1: 0"),
    ("MAP-003", 4, "means: A", "means: !secret A"),
    ("MAP-004", 5, 'null_words: ["-"]', "means: twice"),
    ("MAP-005", 5, '["-"]', '&words ["-"]'),
    ("MAP-007", 1, "platform: tiny\n", ""),
    ("MAP-010", 6, "  contact_id: {column: id}\n", ""),
    ("MAP-011", 7, "{column: id}", "{column: id, colour: red}"),
    ("MAP-011", 10, "note:", "remark:"),
    ("MAP-012", 3, "2026-11-01", '"2026-11-01"'),
    ("MAP-012", 7, "{column: id}", "id"),
    ("MAP-013", 11, "milliseconds", "minutes"),
    ("MAP-014", 10, "[remark, comment]", "[remark]"),
    ("MAP-015", 4, "A platform of four columns.", "OPEN"),
    ("MAP-017", 1, "tiny", "Tiny-1"),
    ("MAP-017", 2, '"1.0.0"', '"1"'),
    ("MAP-017", 13, "score: {", "Score-1: {"),
    ("MAP-018", 3, "2026-11-01", "2026-11-31"),
    ("MAP-020", 7, "{column: id}", "{optional: false}"),
    ("MAP-020", 7, "{column: id}", "{column: id, first_of: [id, key]}"),
    ("MAP-021", 8, "Europe/Brussels", "Europe/Brussel"),
    ("MAP-022", 8, "%d/%m/%Y %H:%M", "%d/%m/%y %H:%M"),
    ("MAP-022", 8, "%d/%m/%Y %H:%M", "%D %Y %H:%M"),
    ("MAP-022", 8, "%d/%m/%Y %H:%M", "%d/%m/%Y"),
    ("MAP-022", 9, " %p", ""),
    ("MAP-023", 8, "zone: Europe/Brussels", "zone: offset"),
    ("MAP-023", 8, "%H:%M", "%H:%M%z"),
    ("MAP-024", 7, "{column: id}", "{family: Id-}"),
    ("MAP-025", 8, ", zone: Europe/Brussels", ""),
    ("MAP-025", 9, ', unit: "MM:SS"', ""),
    ("MAP-025", 10, "null_words: [geen]", "unit: seconds"),
    ("MAP-025", 11, ", unit: milliseconds", ""),
    ("MAP-026", 13, "field: score}", "field: b}"),
    ("MAP-026", 13, "fields: [a, score]", "fields: [score, score]"),
    ("MAP-027", 13, "score: {", "phone: {"),
]


def problems(folder: Path, text: str) -> list[Problem]:
    path = folder / "tiny.yaml"
    path.write_text(text)
    with pytest.raises(MappingInvalid) as caught:
        load_mapping(path)
    assert caught.value.code == "SLU-501"
    return list(caught.value.problems)


def test_a_sound_file_is_loaded_with_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(SOUND)
    mapping = load_mapping(path)
    assert (mapping.platform, mapping.version, f"{mapping.dated}") == ("tiny", "1.0.0", "2026-11-01")
    assert mapping.sha256 == hashlib.sha256(SOUND.encode()).hexdigest()
    assert mapping.names == (*CANONICAL_COLUMNS, "score")
    columns = {one.name: one for one in mapping.columns}
    assert columns["started_at"].reading == TimeReading("%d/%m/%Y %I:%M %p", "Europe/Brussels", ("wait",), Unit.MINUTES)
    assert columns["note"].null_words == ("-", "geen")
    assert (columns["score"].source.take, columns["score"].source.place) == (Take.CELL, 1)


@pytest.mark.parametrize(("code", "line", "old", "new"), FAULTS)
def test_each_fault_is_found_at_its_line(tmp_path: Path, code: str, line: int, old: str, new: str) -> None:
    assert old in SOUND
    (found,) = problems(tmp_path, SOUND.replace(old, new, 1))
    assert (found.code, found.line, found.path) == (code, line, str(tmp_path / "tiny.yaml"))
    assert "Cure: " in found.message


def test_every_fault_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    text = SOUND.replace("{column: id}", "{}").replace("%d/%m/%Y %H:%M", "%d/%m").replace("Brussels", "Atlantis")
    assert [(one.code, one.line) for one in problems(tmp_path, text)] == [
        ("MAP-020", 7),
        ("MAP-021", 8),
        ("MAP-022", 8),
        ("MAP-021", 9),
    ]


def test_a_file_that_is_not_there_or_too_large_has_a_code_and_those_of_the_house_load(tmp_path):
    path = tmp_path / "none.yaml"
    for size in (0, 2 * 1024 * 1024):
        if size:
            path.write_bytes(b"#" * size)
        with pytest.raises(MappingInvalid) as caught:
            load_mapping(path)
        assert [one.code for one in caught.value.problems] == ["MAP-001"]
    assert [load_mapping(path).platform for path in sorted(MAPPINGS.glob("*.yaml"))] == PLATFORMS
    assert {code for code in MAPPING_CODES if code >= "MAP-020"} - {fault[0] for fault in FAULTS} == set()
