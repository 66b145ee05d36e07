"""Two versions of an agreement side by side: every line of both is there, and what differs is told apart."""

from pathlib import Path

from sluice.agreement.compare import Change, Difference, compare

ENERGY = Path(__file__).parents[2] / "include" / "principals" / "energy01"
OLD, NEW = ((ENERGY / f"agreement-{version}.yaml").read_bytes() for version in ("2.4.0", "3.0.0"))


def found(left: bytes, right: bytes) -> dict[str, Difference]:
    return {"/".join(each.path): each for each in compare(left, right)}


def test_what_differs_between_two_versions_is_told_apart() -> None:
    lines = found(OLD, NEW)

    assert (lines["version"].left, lines["version"].right) == ("2.4.0", "3.0.0")
    assert lines["processing/purposes/P-CARE/basisHolder"].change is Change.ADDED
    assert lines["roleProfiles/internal identity"].right == (
        "roleProfile: PRINCIPAL_CONTROLLER; retentionRule: RET-01; portable: false"
    )
    assert lines["processing/subjectMatter"].change is Change.SAME
    back = found(NEW, OLD)
    assert back["processing/purposes/P-CARE/basisHolder"].change is Change.REMOVED and back.keys() == lines.keys()


def test_a_change_in_the_middle_of_a_list_moves_nothing_else() -> None:
    changed = NEW.replace(b"duration: P90D", b"duration: P60D").replace(
        b"  - {code: RESTORE, text:", b"  - {code: R2, text:"
    )
    assert changed != NEW
    differs = {path: each.change for path, each in found(NEW, changed).items() if each.change is not Change.SAME}
    assert differs == {
        "retentionRules/RET-01": Change.CHANGED, "security/RESTORE": Change.REMOVED, "security/R2": Change.ADDED,
    }  # fmt: skip


def test_a_version_and_itself_are_alike() -> None:
    assert {each.change for each in compare(NEW, NEW)} == {Change.SAME}
