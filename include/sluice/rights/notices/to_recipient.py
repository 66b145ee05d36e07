"""What a recipient reads about a decision that concerns its copy: a notice, its receipt, reminders, answers.

Only the notice names the person, by the identifiers that the recipient's own files know. Every document is a
function of what was decided, so a rerun writes the same bytes under the same key.
"""

import hashlib
import hmac
import json
from collections.abc import Collection, Mapping, Sequence

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sluice.agreement.dpv import short
from sluice.documents.words import LANGUAGES, in_each_language, words
from sluice.exchange.naming import NO_FLOW, withheld_unless_safe
from sluice.ledger.sign import sign
from sluice.rights.case.model import FILE, WITHOUT_LETTERS, Action, Case, Right, SubCase
from sluice.rights.notices.model import AnswerFile, Channel, Holder, Notice, NoticeOutcome, NoticeState
from sluice.rights.notices.to_controller import known_to, persons_known_to
from sluice.rights.person.envelope import Envelope
from sluice.subject.scope import MARKETING
from sluice.terms import Flow
from sluice.times import utc_text

RECEIPT_TYPE, RECEIPT_FORMAT = "sluice-notice-receipt+jws", "sluice-notice-receipt-1"


def key_of(notice: Notice, end: str = ".json") -> str:
    """The key of a notice, or of what belongs to it, in the prefix of its recipient."""
    return f"{notice.recipient}/notices/notice-{notice.notice_id}{end}"


def article_of(notice: Notice, case: Case) -> str:
    """The article that obliges us to tell: Art. 19, or for a stop the article of the right itself."""
    return case.right.article if notice.action is Action.STOP else "A19"


def named_purposes(right: Right, purposes: Collection[str]) -> tuple[str, ...]:
    """DPV IRIs of the purposes that a request stops, if it names some.

    Empty if an objection to direct marketing names all marketing purposes, because it already says that itself.
    """
    named = frozenset(purposes) & MARKETING if right is Right.DIRECT_MARKETING else frozenset(purposes)
    return () if right is Right.DIRECT_MARKETING and named == MARKETING else tuple(sorted(named))


def action_text(right: Right, action: Action, purposes: Collection[str], channel: str | None, language: str) -> str:
    """What has to be done with the copy, in one language, with the purposes and the channel if some were named."""
    say = words(language)
    if action is not Action.STOP:
        return say.say(f"recipient.action.{action}")
    said = [say.find(f"recipient.stop.{right}") or say.say("recipient.action.stop")]
    if named := named_purposes(right, purposes):
        said.append(say.say("recipient.only_for", purposes=", ".join(map(short, named))))
    if channel:
        said.append(say.say("recipient.only_over", channel=channel))
    return ", ".join(said)


def _stopped(case: Case, envelope: Envelope) -> dict[str, object]:
    """The purposes and the channel of a request that stops something, each only if the person named it."""
    purposes, channel = named_purposes(case.right, envelope.purposes), envelope.contact_channel
    return {**({"purposes": list(purposes)} if purposes else {}), **({"channel": channel} if channel else {})}


def notice_document(
    notice: Notice, case: Case, part: SubCase, envelope: Envelope, files: Sequence[Holder], key: bytes
) -> dict[str, object]:
    """The notice. ``key``: the principal's subject key; the nonce made from it makes the notice's hash unguessable.

    A principal is not told back the persons in its own request file: ``case`` also stands in the answer to that
    file. Any other recipient is told of those persons of the file that are in what it got.
    """
    persons = _persons(notice, case, part, envelope, files)
    is_told_back = case.channel == FILE and notice.recipient == case.principal
    purposes, channel = envelope.purposes, envelope.contact_channel
    document: dict[str, object] = {
        "notice": f"recipient.{notice.action}",
        "number": notice.notice_id,
        "case": notice.sub_case_id,
        "you_are": notice.side.value,
        "right": case.right.value,
        "article": article_of(notice, case),
        "action": notice.action.value,
        "action_text": {
            language: action_text(case.right, notice.action, purposes, channel, language) for language in LANGUAGES
        },
        **(_stopped(case, envelope) if notice.action is Action.STOP else {}),
        "decided_by": part.controller,
        "field_groups": list(notice.field_groups),
        "persons": case.persons if is_told_back else len(persons),
        "identifiers": persons,
        "nonce": hmac.new(key, f"notice/{notice.notice_id}".encode(), hashlib.sha256).hexdigest()[:32],
        "text": _text(notice, files),
    }
    if notice.recipient == part.principal:
        document |= {"agreement": part.agreement_id, "exchanges": [_file(holder) for holder in files]}
    if notice.channel is Channel.PREFIX:
        names = {word: f"acks/notice-{notice.notice_id}.{end}" for end, word in ENDS.items()}
        document["acknowledge"] = names
    return document


def _text(notice: Notice, files: Sequence[Holder]) -> dict[str, str]:
    """If nobody can tell any more whether the recipient got data of the person, it reads that."""
    if files and all(holder.is_guess for holder in files):
        return in_each_language(f"recipient.guess.{notice.channel}")
    is_by_file = notice.channel is Channel.PREFIX
    return in_each_language(f"recipient.side.{notice.side}" if is_by_file else "recipient.channel.desk")


def _persons(
    notice: Notice, case: Case, part: SubCase, envelope: Envelope, files: Sequence[Holder]
) -> list[list[dict[str, str]]]:
    """The persons that a notice names.

    For a request file about many, these are the ones that the notice's exchanges held, or all if nobody knows
    which.
    """
    if case.channel not in WITHOUT_LETTERS:
        return [known_to(part, envelope)]
    if case.channel == FILE and notice.recipient == case.principal:
        return []  # it asked itself
    held = [holder.identifiers for holder in files]
    among = None if None in held else {place for places in held for place in places or ()}
    return persons_known_to(part, envelope, among)


ENDS: Mapping[str, str] = {"ack": "acknowledged", "done": "done"}
"""The ending of an empty file under acks/, and what it says."""


def _file(holder: Holder) -> dict[str, object]:
    """A file of the recipient's own. ``sha256`` is that of the file before encryption, as it was at first."""
    record = holder.record
    guess = {"person_in_it": "not_known"} if holder.is_guess else {}
    return guess | {
        "exchange": holder.exchange_id,
        "direction": record.direction.value,
        "flow": record.flow,
        "file": withheld_unless_safe(record.what.key, Flow(record.flow)),
        "sha256": record.what.sha256,
    }


def receipt_document(notice: Notice, signing: Ed25519PrivateKey) -> bytes:
    """The signed statement that a notice was given: a function of its ledger entry, which names nobody."""
    assert notice.told_at is not None  # it was sent
    payload = {
        "format": RECEIPT_FORMAT,
        "notice": notice.notice_id,
        "case": notice.sub_case_id,
        "recipient": notice.recipient,
        "side": notice.side.value,
        "action": notice.action.value,
        "field_groups": list(notice.field_groups),
        "exchanges": list(notice.exchanges),
        "sent_at": utc_text(notice.told_at),
        "file": {"key": key_of(notice), "sha256": notice.sha256},
        "ledger": {"entry_hash": notice.entry_hash},
    }
    return sign(rfc8785.dumps(payload), signing, RECEIPT_TYPE).flattened


def told_again_document(notice: Notice, state: NoticeState) -> dict[str, object]:
    """A reminder or an escalation. It has no identifiers, because the notice has them."""
    return {
        "notice": f"recipient.{state.lower()}",
        "number": notice.notice_id,
        "case": notice.sub_case_id,
        "told_at": utc_text(notice.told_at) if notice.told_at else None,
        "text": in_each_language(f"recipient.state.{state}"),
    }


def refused_document(file: AnswerFile) -> dict[str, object]:
    """What the sender of a file under acks/ reads if that changed nothing; a function of the recorded answer alone."""
    outcome = SAID.get(file.outcome, file.outcome)
    return {
        "notice": "recipient.answer_refused",
        "outcome": outcome.value,
        "number": None if file.outcome in NOT_SAID else file.notice_id,
        "file": {"key": withheld_unless_safe(file.key, NO_FLOW), "version_id": file.version_id},
        "seen_at": utc_text(file.seen_at),
        "text": in_each_language(f"recipient.answer.{outcome}"),
    }


SAID = {NoticeOutcome.OTHER_PRINCIPAL: NoticeOutcome.UNKNOWN_NOTICE}
"""The outcome that the sender reads instead, so that nobody learns from us which numbers of others exist."""
NOT_SAID = frozenset({NoticeOutcome.UNKNOWN_NOTICE, NoticeOutcome.OTHER_PRINCIPAL, NoticeOutcome.UNREADABLE})


def written(document: Mapping[str, object]) -> bytes:
    """The bytes of a document as they are put."""
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"
