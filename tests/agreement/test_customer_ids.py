"""One principal's customer numbers compare in one way: in all its contracts, and for as long as references are kept."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agreement.papers import CONTRACT, CONTRACT_NAME, PRINCIPALS, write_folder
from sluice.agreement.contract.customer_ids import Ignored, ignored_in
from sluice.agreement.document import read_document
from sluice.agreement.folder.lint import lint_path
from sluice.agreement.folder.load import find_ignored
from sluice.agreement.in_force.activate import PrincipalActivation, activate_principal
from sluice.agreement.in_force.customer_ids import ignored_by
from sluice.exchange.persons.suppressed import keep_out
from sluice.settings import Settings
from sluice.subject.suppression import Suppression
from sluice.terms import CustomerIdIgnores, Principal, Severity
from support.desk import Desk, open_desk
from support.night import Edit, change, with_papers

ENERGY, TELECOM = Principal("energy01"), Principal("telecom01")
NUMBERED = sorted(path.name for path in (PRINCIPALS / ENERGY).glob("*.odcs.yaml"))
PLACE = "{property: principal, value: energy01}"
SOURCE = Path(__file__).resolve().parents[2] / "include" / "sluice"
ALL = frozenset(CustomerIdIgnores)


def said(words: str) -> str:
    return f"{PLACE}\n  - {{property: customerIdIgnores, value: {words}}}"


def say(settings: Settings, words: str, *names: str) -> None:
    """Let contracts of energy01 say it; they are new versions then."""
    for name in names or NUMBERED:
        path = settings.principals_dir / ENERGY / name
        text = re.sub(r"\n  - \{property: customerIdIgnores.*", "", path.read_text(encoding="utf-8"))
        path.write_text(text.replace(PLACE, said(words)) if words else text, encoding="utf-8")


def activated(desk: Desk, settings: Settings, minutes: int = 1) -> PrincipalActivation:
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    return activate_principal(desk.house.conn, settings.principals_dir / ENERGY, at)


def errors_of(done: PrincipalActivation) -> list[str]:
    return [problem.code for problem in done.problems if problem.severity is Severity.ERROR]


@pytest.fixture
def settings(store_settings: Settings, tmp_path: Path) -> Settings:
    return with_papers(store_settings, tmp_path)


@pytest.fixture
def desk(settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(settings, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("[]", []),
        ("[case]", []),
        ("[leading_zeros, case]", []),
        ("[zeros]", ["CON-013"]),
        ("case", ["CON-012"]),
        ("OPEN", ["CON-015"]),
    ],
)
def test_what_is_ignored_is_a_list_of_known_words(tmp_path: Path, words: str, codes: list[str]) -> None:
    folder = write_folder(tmp_path, contract=CONTRACT.replace(PLACE, said(words)))
    assert [problem.code for problem in lint_path(folder / CONTRACT_NAME)] == codes


def test_what_would_do_nothing_at_a_column_is_told(tmp_path: Path) -> None:
    column = "          - {property: subjectKey, value: principal_customer_id}\n"
    text = CONTRACT.replace(column, f"{column}          - {{property: customerIdIgnores, value: [case]}}\n")
    folder = write_folder(tmp_path, contract=text)
    [problem] = lint_path(folder / CONTRACT_NAME)
    assert (problem.code, "at its top" in problem.message) == ("CON-011", True)
    assert problem.line == text[: text.index("customerIdIgnores")].count("\n") + 1


def test_contracts_of_one_principal_say_the_same(store_settings: Settings, tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    for name in NUMBERED:
        (folder / name).write_text((PRINCIPALS / ENERGY / name).read_text(encoding="utf-8"), encoding="utf-8")
    before = [problem.code for problem in lint_path(folder)]
    change(folder / CONTRACT_NAME, PLACE, said("[case]"))
    found = [problem for problem in lint_path(folder) if problem.code not in before]
    assert {problem.code for problem in found} == {"CON-076"}
    assert sorted(Path(problem.path).name for problem in found) == NUMBERED
    assert "customerIdIgnores [case]" in found[0].message + found[1].message + found[2].message
    for name in NUMBERED:
        if name != CONTRACT_NAME:
            change(folder / name, PLACE, said("[case]"))
    assert "CON-076" not in [problem.code for problem in lint_path(folder)], "control"
    assert find_ignored(folder) == {CustomerIdIgnores.CASE}


def test_a_contract_without_customer_number_need_not_say_it(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, contract=CONTRACT.replace(PLACE, said("[case]")))
    text = CONTRACT.replace("principal_customer_id", "phone_e164").replace("renewal_campaign", "other")
    (folder / "other.inbound.odcs.yaml").write_text(text, encoding="utf-8")
    silent, telling = (read_document(folder / name) for name in ("other.inbound.odcs.yaml", CONTRACT_NAME))
    assert "CON-076" not in [problem.code for problem in lint_path(folder)]
    assert (ignored_in(silent), ignored_in(telling)) == (None, {CustomerIdIgnores.CASE})


def test_it_can_be_said_until_references_are_kept_and_never_be_changed_since(desk: Desk, settings: Settings) -> None:
    conn, said_now = desk.house.conn, list[Ignored]()
    for words in ("[case, leading_zeros]", "", "[case]"):
        say(settings, words)
        assert not activated(desk, settings, len(said_now) + 1).is_refused
        said_now.append(ignored_by(conn, ENERGY))
    assert said_now == [ALL, frozenset(), {CustomerIdIgnores.CASE}]
    assert (desk.house.subject_key(ENERGY).ignores, desk.house.subject_key(TELECOM).ignores) == (said_now[-1], set())
    path, _ = desk.campaign(5)
    desk.drop(path)
    desk.work()

    for words in ("[case, leading_zeros]", "", "[]"):
        say(settings, words)
        refused = activated(desk, settings, 9)
        assert refused.is_refused and errors_of(refused) == ["CON-077"] * len(NUMBERED)
        assert "another code of the principal" in refused.problems[-1].message
        assert (refused.activated, ignored_by(conn, ENERGY)) == ((), {CustomerIdIgnores.CASE})

    say(settings, "[case]")
    change(settings.principals_dir / ENERGY / NUMBERED[0], "version: 1.0.0", "version: 1.0.1")
    done = activated(desk, settings, 10)
    assert (errors_of(done), len(done.activated)) == ([], 1), "control: another change comes into force"


def test_who_is_kept_out_and_what_is_being_judged_keeps_it_too(desk: Desk, settings: Settings) -> None:
    waiting = desk.drop(b"something else;\n1;\n")
    desk.open_new()
    say(settings, "[case]")
    assert errors_of(activated(desk, settings)) == ["CON-077"] * len(NUMBERED), "a file is on its way"
    desk.work()
    assert desk.line(waiting).decision == "refused"
    assert not activated(desk, settings).is_refused, "control: nothing of it was kept"
    say(settings, "")
    now = datetime.now(UTC)
    keep_out(desk.house, TELECOM, frozenset({"ab" * 16}), Suppression.OBJECTED, cause="1", case_id=None, now=now)
    assert not activated(desk, settings, 2).is_refused, "another principal's"
    keep_out(desk.house, ENERGY, frozenset({"ab" * 16}), Suppression.OBJECTED, cause="2", case_id=None, now=now)
    say(settings, "[case]")
    assert errors_of(activated(desk, settings, 3)) == ["CON-077"] * len(NUMBERED)


def test_a_number_that_no_contract_has_any_more_compares_as_before(store_settings: Settings, tmp_path: Path) -> None:
    settings = with_papers(store_settings, tmp_path, *(Edit(name, PLACE, said("[case]")) for name in NUMBERED))
    with open_desk(settings, tmp_path) as desk:
        assert ignored_by(desk.house.conn, ENERGY) == {CustomerIdIgnores.CASE}
        folder = settings.principals_dir / ENERGY
        for name in NUMBERED:
            if name != CONTRACT_NAME:
                (folder / name).unlink()
        say(settings, "", CONTRACT_NAME)
        change(
            folder / CONTRACT_NAME, "{property: subjectKey, value: principal_customer_id}", "{property: x, value: y}"
        )
        change(folder / CONTRACT_NAME, "version: 1.0.0", "version: 2.0.0")
        done = activated(desk, settings)
        assert (done.is_refused, len(done.activated)) == (False, 1)
        assert ignored_by(desk.house.conn, ENERGY) == {CustomerIdIgnores.CASE}


def test_nobody_makes_a_key_of_references_without_what_it_ignores() -> None:
    """A function that refers takes a SubjectKey, which mypy holds; here is who may make one."""
    makers = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if re.search(r"\bSubjectKey\(|keyring\.subject_key\(|\.subject_key\(Principal\(code", path.read_text("utf-8"))
    }
    assert makers == {
        "cli/subject.py",  # by the papers of the checkout, offline
        "dial/dncm.py",  # the center's own: telephones alone
        "exchange/house.py",  # by the papers in force: everybody else asks this
        "exchange/judging/job.py",  # what the house gave, out of the pipe
        "rights/person/identifiers.py",  # whether a value names anybody, under any key
        "subject/key.py",
    }
