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
SUBKEY_ENDED = (Path(__file__).parent / "pgp" / "subkey_ended.asc").read_bytes()
SUBKEY_REVOKED = (Path(__file__).parent / "pgp" / "subkey_revoked.asc").read_bytes()


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


def signing_only(cert: Cert) -> bytes:
    kept = [group for group in groups_of(cert) if not any(is_for_encryption(packet) for packet in group)]
    return bytes(Cert.from_packets([packet for group in kept for packet in group]))


def test_what_is_not_the_one_pinned_certificate_is_refused(keys):
    other = Tsk.generate("second@principal.example").extract_certificate()
    pin, public = keys.public.fingerprint, bytes(keys.public)
    revoked = public + bytes(keys.public.revoke(keys.secret.certifier()))
    garbage = (b"", b"garbage", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n", bytes(range(256)))
    for content, fingerprint, rule in (
        (bytes(other), pin, "pgp.fingerprint"),
        (public, pin[-16:], "pgp.pin"),
        (public, "", "pgp.pin"),
        (revoked, pin, "pgp.revoked"),
        (signing_only(keys.public), pin, "pgp.no_encryption_subkey"),
        (str(keys.secret).encode(), pin, "pgp.secret_key"),
        (bytes(keys.secret), pin, "pgp.secret_key"),
        *((content, pin, "pgp.no_certificate") for content in garbage),
        (encrypt(b"text", recipients=[keys.public]), pin, "pgp.no_certificate"),
        (public + bytes(other), pin, "pgp.several_certificates"),
    ):
        assert refused(content, fingerprint) == rule
    assert encrypt(b"control: the library would use it", recipients=[Cert.from_bytes(revoked)])


def test_a_certificate_ends_at_the_second_that_it_names(keys):
    end = (NOW + timedelta(days=1)).replace(microsecond=0)
    ending = keys.public.set_expiration(end, keys.secret.certifier())
    assert usable_certificate(bytes(ending), ending.fingerprint, at=end - timedelta(seconds=1))
    assert refused(bytes(ending), ending.fingerprint, at=end) == "pgp.expired"


def test_an_encryption_subkey_that_ended_before_its_certificate_or_is_revoked_is_not_used():
    pin, end = "BCAEC39C099549EAF0CA500D3F498F3C5EB81CA6", datetime(2020, 1, 2, tzinfo=UTC)
    assert usable_certificate(SUBKEY_ENDED, pin, at=end - timedelta(seconds=1))
    assert refused(SUBKEY_ENDED, pin, at=end) == "pgp.no_encryption_subkey"
    assert encrypt(b"control: the library would", recipients=[Cert.from_bytes(SUBKEY_ENDED)])
    assert refused(SUBKEY_REVOKED, "E0BE5C33988124897651B4FA62164DF000430B99") == "pgp.no_encryption_subkey"


def test_only_subkeys_for_encryption_are_left_to_the_library(keys):
    usable = usable_certificate(bytes(keys.public), keys.public.fingerprint, at=NOW)
    assert len(groups_of(keys.public)) == 3
    assert len(groups_of(usable)) == 2
    assert any(is_for_encryption(packet) for packet in groups_of(usable)[1])


def test_a_file_that_is_not_there_leaves_nothing_behind(keys, tmp_path):
    with pytest.raises(EncryptionFailed):
        encrypt_to(tmp_path / "absent", tmp_path / "out.pgp", bytes(keys.public), keys.public.fingerprint, at=NOW)
    assert list(tmp_path.iterdir()) == []
