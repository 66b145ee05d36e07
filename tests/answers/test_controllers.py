"""The file of a next controller: whoever nobody verified gets nothing, and what is wrong with the file is told."""

from pathlib import Path

import pytest

from answers.giving import now
from answers.handing import NEXT, with_controllers
from sluice.answers.handover_model import ControllerInvalid
from sluice.answers.next_controller import load_controller
from sluice.settings import Settings


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("country: NL", "country: US"),
        ("prefix: solar01", "prefix: nobody01"),
        ("prefix: solar01\n", ""),
        ("2026-11-20", "2036-11-20"),
        ("controller: solar01", "controller: other"),
        ("name: Solar Nine BV\n", ""),
        ("prefix: solar01", "pgpKey: {file: gone.asc, fingerprint: '" + "ab" * 20 + "'}"),
    ],
)
def test_a_controller_that_nobody_verified_gets_nothing(tmp_path: Path, old: str, new: str) -> None:
    settings = Settings(principals_dir=tmp_path / "principals")
    (tmp_path / "principals" / "solar01").mkdir(parents=True)
    assert load_controller(with_controllers(settings, tmp_path, solar01=NEXT), "solar01", now()).place == "solar01"
    broken = settings.model_copy(update={"controllers_dir": tmp_path / "controllers"})
    (tmp_path / "controllers" / "solar01.yaml").write_text(NEXT.replace(old, new))
    with pytest.raises(ControllerInvalid):
        load_controller(broken, "solar01", now())


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("country: NL", "country: nl", "line 3; key country; rule a text does not have its form: two capital letters"),
        ("verified:", "verifed:", "line 5; key verifed; rule a key is not known: perhaps verified"),
        (
            "on: 2026-11-20",
            "on: 20/11/2026",
            "key verified.on; rule a value has the wrong type: a day",
        ),
        ("country: NL", "\tcountry: NL", "line 3; rule the file is not YAML: column 1: a tab"),
    ],
)
def test_what_is_wrong_with_the_file_of_a_controller_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    settings = with_controllers(Settings(), tmp_path, solar01=NEXT.replace(old, new))

    with pytest.raises(ControllerInvalid) as refused:
        load_controller(settings, "solar01", now())

    assert "file solar01.yaml; line " in str(refused.value) and told in str(refused.value)
