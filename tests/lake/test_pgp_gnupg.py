"""What GnuPG itself makes, by its defaults and as our page says; left out and counted where there is no gpg."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pysequoia import Cert, Tsk

from lake.reading import KEY, MESSAGE, refusal_of, table_of
from lake.test_pgp_in import TEXT, post, read
from sluice.documents import words as catalogues
from sluice.documents.reasons import explain
from sluice.lake.read.pgp_in import PgpKeys
from sluice.terms import Direction

__all__ = ["post"]
PAGE = Path(__file__).parents[2] / "docs/how-to/send-a-file.md"


class Gnu:
    """The keyring of a principal, with the center's certificate in it."""

    def __init__(self, gpg: str, folder: Path) -> None:
        self.gpg, self.folder, self.home = gpg, folder, folder / "gnupg"
        self.home.mkdir(mode=0o700)
        self.center = Tsk.generate("center@x.example")
        self.run("--quick-generate-key", "principal@x.example", "default", "default", "never")
        self.run("--import", given=str(self.center.extract_certificate()).encode())
        self.certificate = Cert.from_bytes(self.run("--export", "principal@x.example"))

    @property
    def keys(self) -> PgpKeys:
        return PgpKeys(str(self.center), str(self.certificate), self.certificate.fingerprint)

    def run(self, *words: str, given: bytes = b"") -> bytes:
        always = ("--batch", "--yes", "--trust-model", "always", "--pinentry-mode", "loopback", "--passphrase", "")
        done = subprocess.run(
            [self.gpg, "--homedir", str(self.home), *always, *words], input=given, capture_output=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sealed(self, *words: str) -> bytes:
        (self.folder / "leads.csv").write_bytes(TEXT)
        to = self.center.extract_certificate().fingerprint
        self.run(*words, "--recipient", to, "--output", str(self.folder / "out"), str(self.folder / "leads.csv"))
        return (self.folder / "out").read_bytes()


@pytest.fixture(scope="module")
def gnu(gpg: str) -> Iterator[Gnu]:
    """In a short path: the agent's socket has to fit into a hundred characters."""
    with TemporaryDirectory(prefix="gnu-") as folder:
        made = Gnu(gpg, Path(folder))
        yield made
        subprocess.run([str(Path(gpg).with_name("gpgconf")), "--homedir", str(made.home), "--kill", "all"], check=True)


def as_the_page_says() -> list[str]:
    """Its options, without those that name keys and files."""
    [found] = re.findall(r"^gpg (.*) --local-user", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return str(found).split()


@pytest.mark.parametrize("more", [(), ("--armor",), ("--armor", "--comment", "x: y"), ("--throw-keyids",)])
def test_what_the_page_says_is_read(tmp_path: Path, gnu: Gnu, more: Sequence[str]) -> None:
    table = table_of(read(tmp_path, gnu.sealed(*as_the_page_says(), *more), gnu.keys))
    assert table.frame.rows() == [("1", "Ann"), ("2", "Jan")]
    assert table.dialect.signed_by == gnu.certificate.fingerprint


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--sign", "--encrypt"), "FORBIDDEN_PGP_COMPRESSED"),
        (("--sign", "--encrypt", "--armor"), "FORBIDDEN_PGP_COMPRESSED"),
        (("--sign", "--encrypt", "--compress-algo", "zlib"), "FORBIDDEN_PGP_COMPRESSED"),
        (("--encrypt",), "FORBIDDEN_PGP_COMPRESSED"),
        (("--encrypt", "-z", "0"), "FORBIDDEN_PGP_UNSIGNED"),
    ],
)
def test_its_defaults_are_refused_with_the_cure(tmp_path: Path, gnu: Gnu, words: Sequence[str], code: str) -> None:
    refusal = refusal_of(read(tmp_path, gnu.sealed(*words), gnu.keys))
    assert refusal.code == code
    cure = explain(catalogues.words("en"), Direction.INBOUND, code).cure
    assert ("-z 0" in cure) == code.endswith("COMPRESSED")


@pytest.mark.slow
def test_a_large_one_is_told_by_the_same_code(tmp_path: Path, gnu: Gnu) -> None:
    """What does not fit into the library's buffer fails later, as an error of another kind."""
    large = gnu.folder / "large.csv"
    large.write_bytes(TEXT + b"3;0470123456\n" * 2_500_000)
    to = gnu.center.extract_certificate().fingerprint
    gnu.run("--sign", "--encrypt", "--recipient", to, "--output", str(gnu.folder / "out"), str(large))
    assert large.stat().st_size > 30 << 20
    assert refusal_of(read(tmp_path, (gnu.folder / "out").read_bytes(), gnu.keys)).code == "FORBIDDEN_PGP_COMPRESSED"


@pytest.mark.parametrize("must_be_signed", [True, False])
def test_one_that_gnupg_made_once_needs_no_gnupg_here(tmp_path: Path, must_be_signed: bool) -> None:
    certificate = Tsk.from_bytes(KEY.encode()).extract_certificate()
    keys = PgpKeys(KEY, str(certificate), certificate.fingerprint, must_be_signed=must_be_signed)
    assert refusal_of(read(tmp_path, MESSAGE, keys)).code == "FORBIDDEN_PGP_COMPRESSED"
    changed = MESSAGE.replace(b"glqv33", b"glqv34")
    assert refusal_of(read(tmp_path, changed, keys)).code == "UNREADABLE_PGP", "the control"


END = b"-----END PGP MESSAGE-----\n"


@pytest.mark.parametrize(
    ("after", "is_read"),
    [
        (lambda whole: whole, True),
        (lambda whole: whole.rstrip(b"\n"), True),
        (lambda whole: whole + b"\r\n \t\n", True),
        (lambda whole: whole.replace(b"\n", b"\r\n"), True),
        (lambda whole: whole + whole, False),
        (lambda whole: whole + b"\n\n" + whole, False),
        (lambda whole: whole + b"more", False),
        (lambda whole: whole.rstrip(b"\n") + b" more\n", False),
        (lambda whole: whole + b"\0", False),
        (lambda whole: whole.replace(END, b"-----END PGP SIGNATURE-----\n") + whole, False),
        (lambda whole: whole.removesuffix(END), False),
    ],
    ids=["alone", "bare", "spaces", "crlf", "twice", "apart", "text", "same-line", "nul", "another-end", "no-end"],
)
def test_armour_is_one_block_and_nothing_after_it(tmp_path, post, after, is_read):
    answer = read(tmp_path, after(post.sealed(armor=True)), post.keys)
    if is_read:
        assert table_of(answer).record_count == 2
    else:
        assert refusal_of(answer).code == "UNREADABLE_PGP"


def test_bytes_after_a_binary_message_are_refused_too(tmp_path, post):
    assert refusal_of(read(tmp_path, post.sealed() * 2, post.keys)).code == "UNREADABLE_PGP"
