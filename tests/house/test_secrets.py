"""S-13: no secret is in what git keeps, neither in the files nor in anything that was there before."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from house.secret_kinds import KINDS, Finding, find_secrets
from support.effort import effort

HOUSE = Path(__file__).resolve().parents[2]
KNOWN = {
    ("key of 32 bytes", "c3ViamVjdC1rZXktb2YtYS10ZXN0LW9mLTMyLWJ5dGU="): "its base64 says that it is a test's",
    ("password", "Peeters-Janssens"): "the secret name of an invented agent, in a wrong row of a staff file",
    ("password", "a-token-that-nobody-gave"): "to be refused",
    ("password", "jan@example.be"): "an e-mail address where a code belongs, to be refused",
    ("password of a URL", "geheim"): "to be left out of an error",
    ("password of a URL", "password"): "where the reader puts theirs",
    ("password of a URL", "secret"): "to be left out of an error",
    ("password of a URL", "secretword"): "to be left out of an answer",
    ("private key", "lFgEXgvhABYJKwYB"): "made for one message of tests; no other is read with it",
}
"""What only looks like a secret: its kind and its last word, and what it is."""
WORD = "correct" + "horse" + "7battery"
BASE = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU2"
PLANTED: dict[str, tuple[str, ...]] = {
    "key id of AWS": ("aws_access_key_id = AK" + "IAQWERTYUIOPASDFG2", "x=AS" + "IAQWERTYUIOPASDFG2"),
    "secret key of AWS": ("aws_secret_access_key" + f" = {BASE[:40]}",),
    "private key": (
        *(
            f"-----BEGIN {kind}PRIVATE " + f"KEY-----\n{BASE}\n"
            for kind in ("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ")
        ),
        "-----BEGIN PGP PRIVATE " + f"KEY BLOCK-----\n\n{BASE}",
        'KEY = "-----BEGIN PRIVATE ' + f'KEY-----\\n{BASE}"',
    ),
    "key of age": ("AGE-SECRET-" + "KEY-1" + "Q" * 58,),
    "JWT": ("Authorization: Bearer ey" + "JhbGciOiJFZERTQSJ9.ey" + "JzdWIiOiJhZGEifQ." + "c2lnbmF0dXJl" * 3,),
    "token of a service": (
        "gh" + "p_" + "a1B2" * 9,
        "gl" + "pat-" + "a1B2" * 5,
        "xo" + "xb-1234567890-abc",
        "AI" + "za" + "a1B2_" * 7,
        "sk_" + "live_" + "a1B2" * 5,
    ),
    "password of a URL": (f"postgresql://sluice:{WORD}@db.internal/sluice", "redis" + f"://default:{WORD}@cache:6379"),
    "password": (
        "db_pass" + f'word = "{WORD}"',
        "{'client_sec" + f"ret': '{WORD}'}}",
        "tok" + f"en: '{WORD}'",
        "def f(api_k" + f'ey: str = "{WORD}"): ...',
    ),
    "password of a shell": ("export SLUICE_MASTER_" + f"KEY={WORD}", "ADMIN_PASS" + f"WORD={WORD} sluice up"),
    "password of YAML": ("  adminPass" + f"word: {WORD}",),
    "key of 32 bytes": ("fernet_" + f'key = "{BASE[:43]}="', "HMAC_" + "KEY = '" + "0a" * 32 + "'"),
}
"""Texts with a secret of each kind, put together here so that this file has none."""
HARMLESS = (
    "password: SecretStr",
    'password = os.environ["PASSWORD"]',
    "export SLUICE_MASTER_KEY=$(cat key)",
    'token = f"{word}"',
    "postgresql://sluice@127.0.0.1/sluice",
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA",
    "--hash=sha256:" + "0a" * 32,
    "SLUICE_TOKEN=...",
)


def git(folder: Path, *words: str) -> bytes:
    given = ["git", "-c", "user.name=test", "-c", "user.email=test@example.be", "-c", "commit.gpgsign=false"]
    return subprocess.run([*given, *words], cwd=folder, capture_output=True, check=True).stdout


def in_tree(folder: Path) -> dict[Finding, str]:
    """Secrets in the files that git has, with the first file of each."""
    found: dict[Finding, str] = {}
    for name in git(folder, "ls-files", "-z").decode().split("\0"):
        path = folder / name
        if name and path.is_file() and not path.is_symlink():
            found |= {each: name for each in find_secrets(path.read_bytes()) if each not in found}
    return found


def in_history(folder: Path, since: tuple[str, ...] = ()) -> set[Finding]:
    """Secrets in every change and message of every branch, what merges changed by themselves too."""
    told = git(folder, "log", *since, "-p", "-m", "--all", "--text", "--no-textconv", "--no-ext-diff", "--no-color")
    return set(find_secrets(told))


def named(finding: Finding) -> tuple[str, str]:
    """Kind and last word, as KNOWN has them; a change has a sign before each line."""
    return finding.kind, finding.text.split()[-1].lstrip("+-")


def test_no_secret_is_in_the_files() -> None:
    found = in_tree(HOUSE)

    assert {each.kind: name for each, name in found.items() if named(each) not in KNOWN} == {}
    assert set(map(named, found)) == set(KNOWN), "what is known is still there"


@pytest.mark.slow
@pytest.mark.evidence
def test_no_secret_was_ever_there(history: Path, record_property: Callable[[str, object], None]) -> None:
    unknown = {each for each in in_history(history, effort(("-60",), ())) if named(each) not in KNOWN}

    assert {each.kind for each in unknown} == set()
    commits = len(git(history, "rev-list", *effort(("-60",), ()), "--all").split())
    files = len(git(history, "ls-files").splitlines())
    record_property(
        "secrets in what git keeps (S-13)",
        f"{len(KINDS)} kinds: 0 in {files} files, 0 in {commits} commits; {len(KNOWN)} explained",
    )


def test_a_planted_secret_of_every_kind_is_found_and_what_holds_none_is_not() -> None:
    """The control: as a file, and as a change of one."""
    assert set(PLANTED) == set(KINDS)
    planted = [(kind, text, mark) for kind, texts in PLANTED.items() for text in texts for mark in ("", "+", "-")]
    for kind, text, mark in planted:
        lines = "\n".join(mark + line for line in ("before", *text.splitlines(), "after"))
        assert kind in {each.kind for each in find_secrets(lines.encode())}, (kind, mark)
    assert [text for text in HARMLESS if list(find_secrets(text.encode()))] == []


def test_what_was_removed_again_is_found_in_the_history(tmp_path: Path) -> None:
    """The control of the history: in a file, in binary content, in a message, in a merge, on another branch."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "plain.txt").write_text("\n".join(text for texts in PLANTED.values() for text in texts))
    (tmp_path / "binary.dat").write_bytes(b"\0\1\2" + WORD.encode() + b"\0")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "with")
    assert {each.kind for each in in_tree(tmp_path)} == set(KINDS)
    git(tmp_path, "rm", "--quiet", "plain.txt")
    git(tmp_path, "commit", "--quiet", "-m", "without")
    assert in_tree(tmp_path) == {}
    assert {each.kind for each in in_history(tmp_path)} == set(KINDS)


@pytest.mark.parametrize("place", ["binary", "message", "merge", "branch"])
def test_every_place_of_the_history_is_looked_at(tmp_path: Path, place: str) -> None:
    secret = PLANTED["key id of AWS"][0]
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "-m", "begun")
    git(tmp_path, "checkout", "--quiet", "-b", "side")
    (tmp_path / "side").write_bytes(b"\0\n" + secret.encode() if place in ("binary", "branch") else b"")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", secret if place == "message" else "side")
    git(tmp_path, "checkout", "--quiet", "main")
    if place == "merge":
        git(tmp_path, "merge", "--quiet", "--no-ff", "--no-commit", "side")
        (tmp_path / "own").write_text(secret)
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "--quiet", "-m", "both")
        git(tmp_path, "rm", "--quiet", "own")
        git(tmp_path, "commit", "--quiet", "-m", "away")
    assert in_tree(tmp_path) == {}
    assert {each.kind for each in in_history(tmp_path)} == {"key id of AWS"}
