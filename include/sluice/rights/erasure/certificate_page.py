"""Put a certificate of erasure into words: a pure function of the signed document alone.

So anybody with the JWS can make the same page again. The page does not check the signature: that is done with the
JWS, not with the PDF.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sluice.documents.model import CertificatePage, Grid, Notice, Pair, Part, Text
from sluice.documents.pdf import make_pdf
from sluice.documents.words import Words, words
from sluice.ledger.sign import as_it_stands, split_flattened
from sluice.rights.case.model import Right
from sluice.rights.case.wording import ground_text, group_text, reason_text
from sluice.rights.copies.model import Outcome

LIMITS = (
    "files that were handed over and copied by their recipient",
    "files sealed to their recipient, of which the index of their rows says that the person is not in them",
    "the notice that names the person to a recipient, until it says that it is done",
    "backups of the database and of the object store, until their dated expiry",
    "what the principal itself put under its folder requests/, but for the file that asked for this erasure",
)
"""What no scan of ours can see. Every certificate says it."""
LIMIT_NAMES: Mapping[str, str] = dict(zip(LIMITS, ("copies", "sealed", "notices", "backups", "requests"), strict=True))
STORE_WIDTHS, WHOLE_WIDTHS, KEPT_WIDTHS = (1.5, 1.3, 0.7, 0.9, 0.9), (1.2, 0.6, 2.2), (1.0, 2.4, 0.9)
DECIDED_WIDTHS = (1.5, 2.2)
Said = Mapping[str, Any]
"""The payload of a certificate."""


def make_certificate_pdf(jws: bytes, language: str) -> bytes:
    """Make the PDF/UA of a certificate, the same bytes for the same document. Raises SignatureInvalid, PageNotMade."""
    _, said = as_it_stands(split_flattened(jws))
    return make_pdf(make_certificate_page(jws, language), datetime.fromisoformat(said["done_at"]))


def make_certificate_page(jws: bytes, language: str) -> CertificatePage:
    """Make the page of a certificate, with every text final. ``language``: nl, fr or en."""
    header, said = as_it_stands(split_flattened(jws))
    say, number = words(language), number_of(said)
    parts = (
        _stores(say, said),
        _whole(say, said),
        _decided(say, said),
        _kept(say, said),
        _shared(say, said),
        _not_reached(say, said),
        _verify(say, said, str(header["kid"])),
    )
    return CertificatePage(
        number=number,
        lang=say.language,
        region=say.locale.territory or "",
        title=say.say("certificate.title"),
        subject=say.say("certificate.subject", number=number),
        references=tuple(_references(say, said, number)),
        opening=(say.say("certificate.opening"),),
        notices=(_result(say, said),),
        parts=tuple(part for part in parts if part),
        footer=say.say("certificate.page", number=number, page="@page", pages="@pages"),
    )


def number_of(said: Said) -> str:
    """Return the number of a certificate in letters and pages: its principal and the ledger entry of its scan."""
    return f"{said['principal']}.{said['ledger']['entry_hash'][:16]}"


def _references(say: Words, said: Said, number: str) -> Iterator[Pair]:
    yield Pair(say.say("certificate.number"), Text(number, is_code=True))
    yield Pair(say.say("certificate.principal"), Text(said["principal"], is_code=True))
    yield Pair(say.say("certificate.parts"), Text(", ".join(said["parts"]), is_code=True))
    yield Pair(say.say("certificate.scanned_at"), Text(say.moment(said["done_at"])))


def _result(say: Words, said: Said) -> Notice:
    scanned, residual = said["objects_scanned"], said["residual"]
    counted = say.count("certificate.scanned", scanned, count=say.number(scanned))
    none = say.say("certificate.residual.none")
    if kept := said.get("kept_by_decision"):
        none = say.count("certificate.residual.kept", kept, count=say.number(kept))
    found = say.count("certificate.residual", residual, count=say.number(residual)) if residual else none
    return Notice("note", found, (counted,))


def _stores(say: Words, said: Said) -> Part:
    heading = say.say("certificate.stores.heading")
    if not said["stores"]:
        return Part(heading, (Text(say.say("certificate.stores.none")),))
    head = tuple(say.say(f"certificate.{name}") for name in ("store", "outcome", "objects", "before", "after"))
    rows = tuple(
        (Text(_store(say, line)), Text(say.say(f"certificate.outcome.{line['outcome']}")), *_numbers(say, line))
        for line in said["stores"]
    )
    return Part(heading, table=Grid(head, rows, STORE_WIDTHS), after=(say.say("certificate.stores.empty"),))


def _numbers(say: Words, line: Said) -> tuple[Text, ...]:
    return tuple(Text(say.number(line[name])) for name in ("objects", "rows_before", "rows_after"))


def _whole(say: Words, said: Said) -> Part:
    heading = say.say("certificate.whole.heading")
    lines = [line for line in said["stores"] if line["outcome"] == Outcome.REMOVED.value]
    if not lines:
        return Part(heading, (Text(say.say("certificate.whole.none")),))
    head = tuple(say.say(f"certificate.{name}") for name in ("store", "objects", "ground"))
    rows = tuple(
        (Text(_store(say, line)), Text(say.number(line["objects"])), _ground(say, line["ground"])) for line in lines
    )
    text = (Text(say.say("certificate.whole.text")),)
    return Part(heading, text, table=Grid(head, rows, WHOLE_WIDTHS))


def _decided(say: Words, said: Said) -> Part | None:
    """List why each part had to be erased (Art. 17(1)); None if there is no part."""
    grounds = said["grounds"]
    if not grounds:
        return None
    head = (say.say("certificate.parts"), say.say("certificate.decided.ground"))
    rows = tuple(
        (Text(each["sub_case_id"], is_code=True), Text(ground_text(say, each["ground"]), below=each["ground"] or ""))
        for each in grounds
    )
    return Part(say.say("certificate.decided.heading"), table=Grid(head, rows, DECIDED_WIDTHS))


def _kept(say: Words, said: Said) -> Part:
    """List exceptions by statute (Art. 17(3)), and count the copies on which somebody else has not decided."""
    heading, exceptions = say.say("certificate.kept.heading"), said["exceptions"]
    waiting = sum(line["objects"] for line in said["stores"] if line["outcome"] == Outcome.KEPT.value)
    after = (say.count("certificate.kept.waiting", waiting, count=say.number(waiting)),) if waiting else ()
    if not exceptions:
        return Part(heading, (Text(say.say("certificate.kept.none")),), after=after)
    head = tuple(say.say(f"certificate.kept.{name}") for name in ("data", "exception", "review"))
    rows = tuple(
        (
            Text(group_text(say, each["field_group"])),
            Text(reason_text(say, Right.ERASURE, each["reason"]), below=each["reason"]),
            Text(say.day(each["review_on"])),
        )
        for each in exceptions
    )
    return Part(heading, table=Grid(head, rows, KEPT_WIDTHS), after=after)


def _shared(say: Words, said: Said) -> Part | None:
    """List what was not looked for or not opened; None if there was nothing of the kind."""
    names = {"shared": "shared_with_others", "sealed": "sealed_to_recipient", "short": "too_short_to_look_for"}
    counts = {name: said[of] for name, of in names.items() if said[of]}
    if not counts:
        return None
    told = (say.count(f"certificate.{name}", count, count=say.number(count)) for name, count in counts.items())
    return Part(say.say("certificate.shared.heading"), _texts(told))


def _not_reached(say: Words, said: Said) -> Part:
    told = (_limit(say, limit) for limit in said["not_covered"])
    return Part(say.say("certificate.limits.heading"), _texts(told))


def _limit(say: Words, limit: str) -> str:
    return say.say(f"certificate.limit.{LIMIT_NAMES[limit]}") if limit in LIMIT_NAMES else limit


def _verify(say: Words, said: Said, key_id: str) -> Part:
    entry_hash = said["ledger"]["entry_hash"]
    command = f"sluice receipt certificate erasure-certificate.{entry_hash[:16]}.json --key receipt-key.pem"
    return Part(
        say.say("certificate.verify.heading"),
        (Text(say.say("certificate.verify.text")), Text(command, is_code=True)),
        facts=(
            Pair(say.say("certificate.verify.key"), Text(key_id, is_code=True)),
            Pair(say.say("certificate.verify.entry_hash"), Text(entry_hash, is_code=True)),
        ),
    )


def _store(say: Words, line: Said) -> str:
    name = str(line["store"])
    return say.find(f"certificate.store.{name.replace(' ', '_')}") or name


def _ground(say: Words, ground: str | None) -> Text:
    """Return in words why a whole file was removed, with the code below."""
    said = say.find(f"certificate.ground.{ground}") or say.say("certificate.ground.unsafe")
    return Text(said, below=ground or "")


def _texts(sentences: Iterable[str]) -> tuple[Text, ...]:
    return tuple(map(Text, sentences))
