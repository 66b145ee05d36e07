"""A file goes to the pinned certificate, or nowhere. Keys are made here; nothing is looked up."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pysequoia import Cert, Profile, Tsk, decrypt, encrypt
from pysequoia.packet import PacketPile, Tag

from sluice.lake.read.pgp import CertificateRefused, EncryptionFailed, encrypt_to, usable_certificate

NOW = datetime.now(UTC)

# Made with GnuPG at 2020-01-01: the primary key holds without end, its only encryption subkey does not.
SUBKEY_ENDED = b"""-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEXgvhABYJKwYBBAHaRw8BAQdAlgiCAiY6UYC+P5gksjXVSuoNLmD4QbrlXPiJ
P2GSIh+0F2VuZGVkQHByaW5jaXBhbC5leGFtcGxliJAEExYKADgWIQS8rsOcCZVJ
6vDKUA0/SY88XrgcpgUCXgvhAAIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAK
CRA/SY88XrgcpnRYAP46+yVrX51EQyqRZjY5fqZ0m7hbZHp5x0I65Ou0Uu0GhAEA
wCcy5P/B0PtQXzUuqc/aWCNQWoWhgpUh3zl8ONRxYwq4OAReC+EAEgorBgEEAZdV
AQUBAQdAiVx8erc+6EL4a6YGC4l+Og8M4YBpwN+byAfgvj1kmWEDAQgHiH4EGBYK
ACYWIQS8rsOcCZVJ6vDKUA0/SY88XrgcpgUCXgvhAAIbDAUJAAFRgAAKCRA/SY88
XrgcpusjAPsFKch4ggR25ZhacKemE2f43OMJ3RkyvmbSkAX2J7aejgEAiKqf+j1c
FrK+SU4H/cl9a9Qj0m8W9kSvfWcwgeZfBA0=
=r7KZ
-----END PGP PUBLIC KEY BLOCK-----
"""
SUBKEY_REVOKED = b"""-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEXgvhABYJKwYBBAHaRw8BAQdAelrNwSEIQY+HXkgZ/Zookjq8jw95KC0Jg7D9
+UQLQF60F3Rha2VuQHByaW5jaXBhbC5leGFtcGxliJAEExYKADgWIQTgvlwzmIEk
iXZRtPpiFk3wAEMLmQUCXgvhAAIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAK
CRBiFk3wAEMLmRUIAP92W3TjqdOIt/J5Je2j/CEqJREPW7AMt6av6kSvAt2A1wEA
jewNDwHyaRrm/dMHIzYGlLiIFH6nACRx5liVj1TV4Qu4OAReC+EAEgorBgEEAZdV
AQUBAQdAg+uMVmiLd0X00J2W4RRZWBNfZhhqa8zeXvfm7LeHNxUDAQgHiHgEKBYK
ACAWIQTgvlwzmIEkiXZRtPpiFk3wAEMLmQUCawcRvQIdAAAKCRBiFk3wAEMLmdHD
APsFITdJDkHwHTJmJ9MiuAzN7TWs5e65r3mT1fTvuY9nBQD/dzQiAS2iiEDGmT/a
N/3eit9U9zRK/fCKcThDwWmQ1QWIeAQYFgoAIBYhBOC+XDOYgSSJdlG0+mIWTfAA
QwuZBQJeC+EAAhsMAAoJEGIWTfAAQwuZQYoA/jWiRlPr5Kox4GIUEKNTUcxQIk3p
W97jwlru65RHHUc1AP9GiC38HIAYPFaMrIWgA635BG+I/+mZVEajd1bMksrcAA==
=sHUP
-----END PGP PUBLIC KEY BLOCK-----
"""


@dataclass(frozen=True)
class Keys:
    """A principal's key pair."""

    secret: Tsk
    public: Cert


@pytest.fixture(scope="module", params=[Profile.RFC4880, Profile.RFC9580], ids=["v4", "v6"])
def keys(request) -> Keys:
    secret = Tsk.generate("exchange@principal.example", profile=request.param)
    return Keys(secret, secret.extract_certificate())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "return.csv"
    path.write_bytes(b"contact_id;disposition\r\n1;sold\r\n" * 5000)
    return path


def groups_of(cert: Cert) -> list[list]:
    """Packets of the primary key, then of each subkey."""
    groups: list[list] = []
    for packet in PacketPile.from_bytes(bytes(cert)):
        if packet.tag in (Tag.PublicKey, Tag.PublicSubkey):
            groups.append([])
        groups[-1].append(packet)
    return groups


def is_for_encryption(packet) -> bool:
    return packet.key_flags is not None and packet.key_flags.transport_encryption


def refused(cert: bytes, fingerprint: str, at: datetime = NOW) -> str:
    with pytest.raises(CertificateRefused) as caught:
        usable_certificate(cert, fingerprint, at=at)
    return str(caught.value.refs[0].value)


def test_what_was_encrypted_is_read_by_the_holder_of_the_key(keys, file, tmp_path):
    target = tmp_path / "return.csv.pgp"

    encrypt_to(file, target, bytes(keys.public), keys.public.fingerprint, at=NOW)

    assert decrypt(target.read_bytes(), keys.secret.decryptor()).bytes == file.read_bytes()
    assert b"contact_id" not in target.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["return.csv", "return.csv.pgp"]


def test_an_armoured_certificate_and_a_fingerprint_as_people_write_it_are_taken(keys, file, tmp_path):
    written = " ".join(keys.public.fingerprint.upper()[at : at + 4] for at in range(0, 64, 4))

    encrypt_to(file, tmp_path / "out.pgp", str(keys.public).encode(), written, at=NOW)

    assert decrypt((tmp_path / "out.pgp").read_bytes(), keys.secret.decryptor()).bytes == file.read_bytes()


def test_another_certificate_than_the_pinned_one_is_refused(keys):
    other = Tsk.generate("exchange@principal.example").extract_certificate()

    assert refused(bytes(other), keys.public.fingerprint) == "pgp.fingerprint"


def test_a_short_key_id_is_no_pin(keys):
    assert refused(bytes(keys.public), keys.public.fingerprint[-16:]) == "pgp.pin"
    assert refused(bytes(keys.public), "") == "pgp.pin"


def test_a_revoked_certificate_is_refused_although_the_library_would_use_it(keys):
    revoked = bytes(keys.public) + bytes(keys.public.revoke(keys.secret.certifier()))

    assert refused(revoked, keys.public.fingerprint) == "pgp.revoked"
    assert encrypt(b"control", recipients=[Cert.from_bytes(revoked)])


def test_a_certificate_ends_at_the_second_that_it_names(keys):
    end = (NOW + timedelta(days=1)).replace(microsecond=0)
    ending = keys.public.set_expiration(end, keys.secret.certifier())

    assert usable_certificate(bytes(ending), ending.fingerprint, at=end - timedelta(seconds=1))
    assert refused(bytes(ending), ending.fingerprint, at=end) == "pgp.expired"


def test_a_certificate_that_cannot_encrypt_is_refused(keys):
    kept = [group for group in groups_of(keys.public) if not any(is_for_encryption(packet) for packet in group)]
    signing_only = Cert.from_packets([packet for group in kept for packet in group])

    assert refused(bytes(signing_only), keys.public.fingerprint) == "pgp.no_encryption_subkey"


def test_an_encryption_subkey_ends_before_its_certificate():
    pin, end = "BCAEC39C099549EAF0CA500D3F498F3C5EB81CA6", datetime(2020, 1, 2, tzinfo=UTC)

    assert usable_certificate(SUBKEY_ENDED, pin, at=end - timedelta(seconds=1))
    assert refused(SUBKEY_ENDED, pin, at=end) == "pgp.no_encryption_subkey"
    assert encrypt(b"control: the library would", recipients=[Cert.from_bytes(SUBKEY_ENDED)])


def test_a_revoked_encryption_subkey_is_not_used():
    assert refused(SUBKEY_REVOKED, "E0BE5C33988124897651B4FA62164DF000430B99") == "pgp.no_encryption_subkey"


def test_only_subkeys_for_encryption_are_left_to_the_library(keys):
    usable = usable_certificate(bytes(keys.public), keys.public.fingerprint, at=NOW)

    assert len(groups_of(keys.public)) == 3
    assert len(groups_of(usable)) == 2
    assert any(is_for_encryption(packet) for packet in groups_of(usable)[1])


@pytest.mark.parametrize("armoured", [False, True])
def test_a_secret_key_given_by_mistake_is_refused(keys, armoured):
    secret = str(keys.secret).encode() if armoured else bytes(keys.secret)

    assert refused(secret, keys.public.fingerprint) == "pgp.secret_key"


@pytest.mark.parametrize("content", [b"", b"garbage", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n", bytes(range(256))])
def test_something_else_than_a_certificate_is_refused(keys, content):
    assert refused(content, keys.public.fingerprint) == "pgp.no_certificate"


def test_a_message_is_no_certificate(keys):
    assert refused(encrypt(b"text", recipients=[keys.public]), keys.public.fingerprint) == "pgp.no_certificate"


def test_two_certificates_at_once_are_refused(keys):
    other = Tsk.generate("second@principal.example").extract_certificate()

    assert refused(bytes(keys.public) + bytes(other), keys.public.fingerprint) == "pgp.several_certificates"


def test_a_file_that_is_not_there_leaves_nothing_behind(keys, tmp_path):
    with pytest.raises(EncryptionFailed):
        encrypt_to(tmp_path / "absent", tmp_path / "out.pgp", bytes(keys.public), keys.public.fingerprint, at=NOW)

    assert list(tmp_path.iterdir()) == []
