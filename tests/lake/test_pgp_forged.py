"""S-17 for OpenPGP: a message that is not exactly what the pinned key signed is refused, whatever was done to it."""

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pysequoia import Profile, decrypt, encrypt, sign

from lake.reading import refusal_of
from lake.test_pgp_in import TEXT, Post, made, post, read
from sluice.lake.read.pgp_in import PgpKeys
from sluice.lake.table import FormatRefusal

__all__ = ["post"]
SEED, BITS, ADDRESS_BITS = 17, 100, 20
"""Changed bits of each profile's message: behind its address, and in it."""


def end_of_address(sealed: bytes) -> int:
    """Where the first packet ends, which says for whom the message is; nobody signs that (RFC 9580, 5.1)."""
    assert sealed[0] == 0xC1 and sealed[1] < 192, "one packet of a session key, its length in one octet"
    return 2 + sealed[1]


def bits(sealed: bytes, begin: int, end: int, count: int) -> Iterator[tuple[str, bytes]]:
    dice = random.Random(SEED)
    for number in range(count):
        at, bit = dice.randrange(begin, end), 1 << dice.randrange(8)
        yield f"bit {number}", sealed[:at] + bytes([sealed[at] ^ bit]) + sealed[at + 1 :]


def forged(post: Post) -> Iterator[tuple[str, bytes]]:
    """Messages that the principal did not send, or not so: a bit changed, parts of two, another's, nobody's."""
    sound = post.sealed()
    yield from bits(sound, end_of_address(sound), len(sound), BITS)
    other = post.sealed(TEXT.replace(b"Ann", b"Eve"))
    for place in (len(sound) // 4, len(sound) // 2, len(sound) - 40):
        yield f"two messages, cut at {place}", sound[:place] + other[place:]
        yield f"cut at {place}", sound[:place]
    yield "twice", sound + other
    center, everybody = post.center.extract_certificate(), post.principal.extract_certificate()
    yield "other key", encrypt(TEXT, recipients=[center], signer=post.other.signer(), armor=False)
    yield "unsigned", encrypt(TEXT, recipients=[center], armor=False)
    yield "to the principal itself", encrypt(TEXT, recipients=[everybody], signer=post.principal.signer(), armor=False)
    signed = sign(post.other.signer(), TEXT)
    yield "signed by another inside", encrypt(signed, recipients=[center], armor=False)


def passes(folder: Path, content: bytes, keys: PgpKeys) -> bool:
    return not isinstance(read(folder, content, keys), FormatRefusal)


@pytest.mark.evidence
def test_every_forged_message_is_refused(tmp_path, post, record_property):
    planned = dict(forged(post))
    believed = [name for name, content in planned.items() if passes(tmp_path, content, post.keys)]
    assert (believed, len(planned) >= BITS) == ([], True)
    record_property("S-17 forged OpenPGP messages refused", f"{len(planned)} of {len(planned)} (seed {SEED})")


def test_a_changed_address_is_refused_or_changes_nothing_that_was_signed(tmp_path: Path, post: Post) -> None:
    sound = post.sealed()
    for name, content in bits(sound, 0, end_of_address(sound), ADDRESS_BITS):
        answer = read(tmp_path, content, post.keys)
        assert isinstance(answer, FormatRefusal) or answer.frame.rows() == [("1", "Ann"), ("2", "Jan")], name


def test_what_was_signed_after_the_key_had_ended_is_refused(tmp_path):
    """A signature counts as of the moment when it was made."""
    posts = [made(profile) for profile in (Profile.RFC4880, Profile.RFC9580)]
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    ended = [
        replace(one.keys, certificate=str(each.set_expiration(end, one.principal.certifier())))
        for one in posts
        for each in [one.principal.extract_certificate()]
    ]
    before = [one.sealed() for one in posts]
    time.sleep(max(0.0, (end - datetime.now(UTC)).total_seconds()) + 1)
    for one, keys, early in zip(posts, ended, before, strict=True):
        assert passes(tmp_path, early, keys)
        assert refusal_of(read(tmp_path, one.sealed(), keys)).code == "FORBIDDEN_PGP_KEY", "not: send it again"
        assert passes(tmp_path, one.sealed(), one.keys), "the control: by a certificate without an end"


def unpinned(content: bytes, post: Post) -> bool:
    """A reader that takes any certificate it has for the signer's, and a missing signature for none needed."""
    ring = [post.principal.extract_certificate(), post.other.extract_certificate()]
    try:
        return bool(decrypt(content, post.center.decryptor(), store=lambda _: ring).bytes)
    except (OSError, RuntimeError):
        return False


def test_control_a_reader_without_a_pinned_fingerprint_lets_some_pass(post: Post) -> None:
    believed = {name for name, content in forged(post) if unpinned(content, post)}
    print(f"S-17 control: {len(believed)} of the forged messages pass a reader without a pin")
    assert "other key" in believed
    assert unpinned(post.sealed(), post)
