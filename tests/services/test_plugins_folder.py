"""What lies in plugins/ runs in every Airflow process: whatever is not shipped there is named, and nothing starts.

That Airflow would run it without this check is shown by `tests/house/test_plugin.py`.
"""

import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from sluice.cli.main import main
from sluice.errors import ServiceMissing
from sluice.services import stack
from sluice.services.plan import read_plan
from sluice.services.plugins_folder import COMPILED, SHIPPED, Fault, PluginsChanged, find_faults, secure
from sluice.settings import Settings, get_settings
from support.installation import examine_one

HOUSE = Path(__file__).resolve().parents[2]
PLUGIN = "sluice_plugin.py"
Change = Callable[[Path], object]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A checkout with the folder as it is shipped, and the bytecode that a start of Airflow leaves."""
    folder = tmp_path / "home" / "plugins"
    folder.mkdir(parents=True)
    for name in SHIPPED:
        shutil.copyfile(HOUSE / "plugins" / name, folder / name)
    (folder / COMPILED).mkdir()
    (folder / COMPILED / "sluice_plugin.cpython-311.pyc").write_bytes(b"compiled")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder.parent


def linked(folder: Path) -> None:
    (folder / PLUGIN).rename(folder.parent / "elsewhere.py")
    (folder / PLUGIN).symlink_to(folder.parent / "elsewhere.py")


def longer(folder: Path) -> None:
    (folder / PLUGIN).write_bytes((folder / PLUGIN).read_bytes() + b"\n")


def nested(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "deep_plugin.py").write_text("print('mine')")


PLANTED: dict[str, tuple[Change, str]] = {
    "a module": (lambda folder: (folder / "extra_plugin.py").write_text(""), "plugins/extra_plugin.py NOT_SHIPPED"),
    "a file of paths": (lambda folder: (folder / "a.pth").write_text("import os"), "plugins/a.pth NOT_SHIPPED"),
    "a compiled module": (lambda folder: (folder / "x.so").write_bytes(b""), "plugins/x.so NOT_SHIPPED"),
    "a folder": (nested, "plugins/more NOT_SHIPPED"),
    "beside the bytecode": (
        lambda folder: (folder / COMPILED / "y_plugin.py").write_text(""),
        "plugins/__pycache__/y_plugin.py NOT_SHIPPED",
    ),
    "bytecode of another": (
        lambda folder: (folder / COMPILED / "os.cpython-311.pyc").write_bytes(b""),
        "plugins/__pycache__/os.cpython-311.pyc NOT_SHIPPED",
    ),
    "a link": (linked, "plugins/sluice_plugin.py NOT_SHIPPED"),
    "one byte more": (longer, "plugins/sluice_plugin.py CHANGED"),
    "every module is read": (
        lambda folder: (folder / ".airflowignore").write_text(""),
        "plugins/.airflowignore CHANGED",
    ),
    "nothing": (lambda folder: (folder / PLUGIN).unlink(), "plugins/sluice_plugin.py MISSING"),
    "a name that a terminal would obey": (
        lambda folder: (folder / "\x1b[2J.py").write_text(""),
        "plugins/\\x1b[2J.py NOT_SHIPPED",
    ),
}


def doctor(home: Path) -> tuple[bool, str]:
    found = examine_one("plugins", Settings(home=home))
    assert found.cure
    return found.ok, found.detail


def test_the_checkout_has_what_is_shipped_and_passes(home: Path) -> None:
    known = {name: sha256((HOUSE / "plugins" / name).read_bytes()).hexdigest() for name in SHIPPED}
    assert known == SHIPPED, "the plugin was changed: write its hash into services/plugins_folder.py"
    assert find_faults(home) == [] and doctor(home) == (True, "as shipped, and only its owner may write there")
    secure(home)
    assert [path.name for path in (home / "plugins" / COMPILED).iterdir()] == [], "bytecode is made anew of the source"
    shutil.rmtree(home / "plugins" / COMPILED)
    secure(home)


@pytest.mark.parametrize("change", PLANTED)
def test_whatever_is_planted_is_named_and_airflow_is_not_started(home: Path, tmp_path: Path, change: str) -> None:
    plant, said = PLANTED[change]
    plant(home / "plugins")

    assert doctor(home) == (False, said)
    with pytest.raises(PluginsChanged) as refused:
        stack.bring_up(home, tmp_path / "var", with_airflow=True, report=print)
    assert said.split()[0] in str(refused.value) and said.split()[1] in str(refused.value)
    assert read_plan(tmp_path / "var") is None, "not even a store was started"


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    assert doctor(tmp_path) == (False, "plugins MISSING")


@pytest.mark.parametrize("name", [".", PLUGIN, ".airflowignore", COMPILED])
def test_others_may_not_write_there(home: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = home / "plugins" / name
    for bits in (0o020, 0o002):
        path.chmod(path.stat().st_mode | bits)
        shown = str(path.relative_to(home))
        assert doctor(home) == (False, f"{shown} OTHERS_MAY_WRITE")
        secure(home)
        assert path.stat().st_mode & 0o022 == 0 and doctor(home)[0], "its owner takes the right away"
    path.chmod(path.stat().st_mode | 0o020)

    def refuse(self: Path, mode: int) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", refuse)  # as of a file that somebody else owns
    with pytest.raises(PluginsChanged, match=Fault.OTHERS_MAY_WRITE):
        secure(home)


def test_bytecode_that_stays_is_not_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, missing_ok: bool) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(PluginsChanged, match=Fault.CANNOT_BE_REMOVED):
        secure(home)


def test_a_start_of_the_stores_alone_asks_nothing_of_plugins(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the same planted file, and the next step is reached, which here finds no database."""
    (home / "plugins" / "extra_plugin.py").write_text("")
    monkeypatch.setenv("SLUICE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("SLUICE_S3_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(ServiceMissing):
        stack.bring_up(home, tmp_path / "var", with_airflow=False, report=print)
    with pytest.raises(PluginsChanged):
        stack.bring_up(home, tmp_path / "var", with_airflow=True, report=print)


def test_the_command_says_the_code(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "plugins" / "extra_plugin.py").write_text("")
    monkeypatch.setenv("SLUICE_HOME", str(home))
    monkeypatch.setattr("sys.argv", ["sluice", "up"])
    get_settings.cache_clear()
    with pytest.raises(SystemExit) as ended:
        main()
    get_settings.cache_clear()
    assert ended.value.code == 1 and "SLU-120" in capsys.readouterr().err
