"""A file that came under OpenPGP is read as what is in it, or refused with the one reason why not."""

import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pysequoia import Profile, Tsk, encrypt, sign

from lake.reading import refusal_of, table_of
from sluice.lake.read.pgp_in import PgpKeys
from sluice.lake.read.reader import read_table
from sluice.lake.table import FormatHints, FormatRefusal, Table

TEXT = b"id;name\n1;Ann\n2;Jan\n"


@dataclass(frozen=True)
class Post:
    """The center, the principal whose key is pinned, and somebody else."""

    center: Tsk
    principal: Tsk
    other: Tsk

    @property
    def keys(self) -> PgpKeys:
        certificate = self.principal.extract_certificate()
        return PgpKeys(str(self.center), str(certificate), certificate.fingerprint)

    def sealed(self, content: bytes = TEXT, *, armor: bool = False) -> bytes:
        center = self.center.extract_certificate()
        return encrypt(content, recipients=[center], signer=self.principal.signer(), armor=armor)


def made(profile: Profile) -> Post:
    return Post(*(Tsk.generate(f"{name}@x.example", profile=profile) for name in ("center", "principal", "other")))


@pytest.fixture(scope="module", params=[Profile.RFC4880, Profile.RFC9580], ids=["v4", "v6"])
def post(request: pytest.FixtureRequest) -> Post:
    return made(request.param)


def read(
    folder: Path, content: bytes, keys: PgpKeys | None, name: str = "x.csv.pgp", form: str = "csv"
) -> Table | FormatRefusal:
    path = folder / "object"
    path.write_bytes(content)
    answer = read_table(path, file_name=name, wanted=FormatHints(format=form), folder=folder, pgp=keys)
    assert list(folder.iterdir()) == [path], "nothing opened stays"
    return answer


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.csv", content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("inside", "name", "container"),
    [
        (TEXT, "x.csv.pgp", "pgp"),
        (TEXT, "x.gpg", "pgp"),
        (gzip.compress(TEXT, mtime=0), "x.csv.gz.pgp", "pgp gzip"),
        (zipped(TEXT), "x.zip.pgp", "pgp zip"),
    ],
    ids=["csv", "named otherwise", "gzip", "zip"],
)
@pytest.mark.parametrize("armor", [False, True])
def test_what_is_encrypted_is_the_table_inside_and_says_for_whom_and_by_whom(
    tmp_path, post, inside, name, container, armor
):
    table = table_of(read(tmp_path, post.sealed(inside, armor=armor), post.keys, name))
    assert table.frame.rows() == [("1", "Ann"), ("2", "Jan")]
    told = table.dialect.as_record()
    assert (told["container"], told["format"]) == (container, "csv")
    assert told["encrypted_to"] == post.center.extract_certificate().fingerprint
    assert told["signed_by"] == post.principal.extract_certificate().fingerprint


Make = Callable[[Post], tuple[bytes, PgpKeys]]


def flipped(content: bytes, at: int) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 1
    return bytes(changed)


def to(whom: Tsk, signer: Tsk | None = None) -> bytes:
    return encrypt(TEXT, recipients=[whom.extract_certificate()], signer=signer and signer.signer(), armor=False)


CODES: dict[str, tuple[str, Make]] = {
    "for somebody else": ("FORBIDDEN_PGP_RECIPIENT", lambda p: (to(p.other, p.principal), p.keys)),
    "under a password": ("FORBIDDEN_PGP_RECIPIENT", lambda p: (encrypt(TEXT, passwords=["x"], armor=False), p.keys)),
    "unsigned": ("FORBIDDEN_PGP_UNSIGNED", lambda p: (to(p.center), p.keys)),
    "signed by another": ("FORBIDDEN_PGP_SIGNER", lambda p: (to(p.center, p.other), p.keys)),
    "signed by another, signature not asked": (
        "FORBIDDEN_PGP_SIGNER",
        lambda p: (to(p.center, p.other), replace(p.keys, must_be_signed=False)),
    ),
    "changed at its end": ("UNREADABLE_PGP", lambda p: (flipped(p.sealed(), -30), p.keys)),
    "changed, large": ("UNREADABLE_PGP", lambda p: (flipped(p.sealed(TEXT * 200_000), 600_000), p.keys)),
    "cut off": ("UNREADABLE_PGP", lambda p: (p.sealed()[:-30], p.keys)),
    "only signed": (
        "FORBIDDEN_PGP_NOT_ENCRYPTED",
        lambda p: (sign(p.principal.signer(), TEXT), replace(p.keys, must_be_encrypted=True)),
    ),
    "plain": ("FORBIDDEN_PGP_NOT_ENCRYPTED", lambda p: (TEXT, replace(p.keys, must_be_encrypted=True))),
    "nothing agreed": ("FORBIDDEN_PGP_NOT_AGREED", lambda p: (p.sealed(), PgpKeys("", None, None))),
    "another fingerprint": ("FORBIDDEN_PGP_KEY", lambda p: (p.sealed(), replace(p.keys, fingerprint="a" * 40))),
    "no certificate": ("FORBIDDEN_PGP_KEY", lambda p: (p.sealed(), replace(p.keys, certificate="garbage"))),
    "in itself": ("ARCHIVE_NESTED", lambda p: (p.sealed(p.sealed()), p.keys)),
    "twice packed": ("ARCHIVE_NESTED", lambda p: (p.sealed(gzip.compress(gzip.compress(TEXT))), p.keys)),
    "in gzip": ("ARCHIVE_NESTED", lambda p: (gzip.compress(p.sealed()), p.keys)),
    "a bomb": ("ARCHIVE_RATIO", lambda p: (p.sealed(gzip.compress(b"0" * (40 << 20))), p.keys)),
    "nothing in it": ("UNREADABLE_EMPTY_FILE", lambda p: (p.sealed(b""), p.keys)),
    "a certificate": ("FORBIDDEN_PGP_NOT_ENCRYPTED", lambda p: (str(p.other.extract_certificate()).encode(), p.keys)),
}


@pytest.mark.parametrize("case", CODES)
def test_what_may_not_be_believed_is_refused_for_one_reason(tmp_path: Path, post: Post, case: str) -> None:
    code, make = CODES[case]
    name = {"in gzip": "x.gz", "plain": "x.csv", "twice packed": "x.pgp", "a bomb": "x.pgp"}.get(case, "x.csv.pgp")
    refusal = refusal_of(read(tmp_path, *make(post), name))
    assert (refusal.code, refusal.undecided) == (code, False)


def test_a_revoked_pin_no_key_and_another_name_are_refused_and_a_signature_only_where_asked(tmp_path, post):
    certificate = post.principal.extract_certificate()
    revoked = certificate.merge(
        type(certificate).from_bytes(bytes(certificate) + bytes(certificate.revoke(post.principal.certifier())))
    )
    refusal = refusal_of(read(tmp_path, post.sealed(), replace(post.keys, certificate=str(revoked))))
    assert refusal.code == "FORBIDDEN_PGP_KEY"
    bare = to(post.center)
    table = table_of(read(tmp_path, bare, replace(post.keys, must_be_signed=False)))
    assert (table.record_count, table.dialect.signed_by) == (2, None)
    refusal = refusal_of(read(tmp_path, post.sealed(), None))
    assert (refusal.code, refusal.undecided) == ("ARCHIVE_PGP_SEALED", True)
    assert refusal_of(read(tmp_path, post.sealed(), post.keys, "x.csv")).code == "WRONG_FORMAT_NAME"
    assert refusal_of(read(tmp_path, post.sealed(), post.keys, "x.xlsx.pgp")).code == "WRONG_FORMAT_NAME"
