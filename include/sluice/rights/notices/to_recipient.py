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
from sluice.exchange.naming import NO_FLOW, withheld_unless_safe
from sluice.ledger.sign import sign
from sluice.rights.case.model import FILE, Action, Case, Right, SubCase
from sluice.rights.notices.model import AnswerFile, Channel, Holder, Notice, NoticeOutcome, NoticeState, Side
from sluice.rights.notices.to_controller import known_to, persons_known_to
from sluice.rights.person.envelope import Envelope
from sluice.subject.scope import MARKETING
from sluice.terms import Flow
from sluice.times import utc_text

RECEIPT_TYPE, RECEIPT_FORMAT = "sluice-notice-receipt+jws", "sluice-notice-receipt-1"
TEXTS: Mapping[Side | NoticeState | Channel | NoticeOutcome, Mapping[str, str]] = {
    Channel.DESK: {
        "nl": "U kreeg gegevens van deze persoon. Doe met uw kopie wat bij action staat en antwoord het contactcenter.",
        "fr": "Vous avez reçu des données de cette personne. Appliquez action à votre copie et répondez au centre.",
        "en": "You were given data of this person. Do with your copy what action says, and answer the contact center.",
    },
    Side.RECIPIENT: {
        "nl": "U kreeg gegevens van deze persoon. Doe met uw kopie wat bij action staat en meld het onder acks/.",
        "fr": "Vous avez reçu des données de cette personne. Appliquez action à votre copie, confirmez sous acks/.",
        "en": "You were given data of this person. Do with your copy what action says, and say so under acks/.",
    },
    Side.SUPPLIER: {
        "nl": "Deze persoon stond in uw bestand en wil dit niet meer. Pas uw bron aan en meld het onder acks/.",
        "fr": "Cette personne figurait dans votre fichier et s'y oppose. Adaptez votre source, confirmez sous acks/.",
        "en": "This person stood in your file and no longer wants this. Change your source, and say so under acks/.",
    },
    NoticeState.REMINDED: {
        "nl": "Van dit bericht hoorden we nog niet dat het is uitgevoerd. Meld het onder acks/.",
        "fr": "Nous n'avons pas encore appris que cet avis a été suivi. Confirmez-le sous acks/.",
        "en": "We have not heard yet that this notice was carried out. Say so under acks/.",
    },
    NoticeState.ESCALATED: {
        "nl": "Van dit bericht is nog altijd niet gemeld dat het is uitgevoerd. Het contactcenter neemt contact op.",
        "fr": "Cet avis n'est toujours pas confirmé comme suivi. Le centre de contact prendra contact avec vous.",
        "en": "This notice is still not said to be carried out. The contact center will get in touch with you.",
    },
    NoticeOutcome.ALREADY_ACKNOWLEDGED: {
        "nl": "Dit bericht was al bevestigd. Meld het nog eens, met .done, zodra het is uitgevoerd.",
        "fr": "Cet avis était déjà confirmé. Confirmez encore, avec .done, dès qu'il est exécuté.",
        "en": "This notice was acknowledged before. Say so again, with .done, once it is carried out.",
    },
    NoticeOutcome.ALREADY_DONE: {
        "nl": "Dit bericht was al als uitgevoerd gemeld. U hoeft niets te doen.",
        "fr": "Cet avis était déjà confirmé comme exécuté. Vous n'avez rien à faire.",
        "en": "This notice was said to be carried out before. There is nothing to do.",
    },
    NoticeOutcome.UNKNOWN_NOTICE: {
        "nl": "U kreeg geen bericht met dit nummer. Neem het nummer over uit het bericht.",
        "fr": "Vous n'avez reçu aucun avis de ce numéro. Reprenez le numéro de l'avis.",
        "en": "No notice of this number was given to you. Take the number from the notice.",
    },
    NoticeOutcome.UNREADABLE: {
        "nl": "Dit bestand zegt niets. Zet een leeg notice-<nummer>.ack of .done, of JSON met notice en state.",
        "fr": "Ce fichier ne dit rien. Déposez un notice-<numéro>.ack ou .done vide, ou du JSON avec notice et state.",
        "en": "This file says nothing. Put an empty notice-<number>.ack or .done, or JSON with notice and state.",
    },
}
GUESS: Mapping[Channel, Mapping[str, str]] = {
    Channel.DESK: {
        "nl": "U kreeg bestanden die gemaakt zijn uit bestanden met gegevens van deze persoon. Of die er zelf in "
        "staat, kunnen wij niet meer zien. Doe met wat u van die persoon hebt wat bij action staat, en antwoord het "
        "contactcenter.",
        "fr": "Vous avez reçu des fichiers faits à partir de fichiers contenant des données de cette personne. Nous ne "
        "pouvons plus voir si elle y figure. Appliquez action à ce que vous avez d'elle et répondez au centre.",
        "en": "You were given files made from files with data of this person. We can no longer see whether the person "
        "is in them. Do with what you have of the person what action says, and answer the contact center.",
    },
    Channel.PREFIX: {
        "nl": "U kreeg bestanden die gemaakt zijn uit bestanden met gegevens van deze persoon. Of die er zelf in "
        "staat, kunnen wij niet meer zien. Doe met wat u van die persoon hebt wat bij action staat, en meld het onder "
        "acks/.",
        "fr": "Vous avez reçu des fichiers faits à partir de fichiers contenant des données de cette personne. Nous ne "
        "pouvons plus voir si elle y figure. Appliquez action à ce que vous avez d'elle, confirmez sous acks/.",
        "en": "You were given files made from files with data of this person. We can no longer see whether the person "
        "is in them. Do with what you have of the person what action says, and say so under acks/.",
    },
}
"""What a recipient reads if nobody can tell any more whether it got data of the person."""
ACTIONS: Mapping[Action, Mapping[str, str]] = {
    Action.ERASE: {"nl": "wissen", "fr": "effacer", "en": "erase"},
    Action.RESTRICT: {
        "nl": "alleen nog bewaren, niet gebruiken",
        "fr": "conserver seulement, ne plus utiliser",
        "en": "keep only, do not use",
    },
    Action.STOP: {
        "nl": "niet meer gebruiken waarvoor de persoon neen zei",
        "fr": "ne plus utiliser pour ce que la personne a refusé",
        "en": "stop using for what the person said no to",
    },
    Action.RECTIFY: {"nl": "verbeteren", "fr": "rectifier", "en": "rectify"},
}
"""What has to be done with the copy, in words. A stop whose right says more has its own words in ``STOPS``."""
STOPS: Mapping[Right, Mapping[str, str]] = {
    Right.DIRECT_MARKETING: {
        "nl": "niet meer gebruiken voor reclame (direct marketing)",
        "fr": "ne plus utiliser pour la publicité (prospection directe)",
        "en": "stop using for advertising (direct marketing)",
    },
    Right.CONSENT_WITHDRAWAL: {
        "nl": "niet meer gebruiken waar toestemming voor nodig is",
        "fr": "ne plus utiliser là où un consentement est nécessaire",
        "en": "stop using where consent is needed",
    },
}
NAMED: Mapping[str, tuple[str, str]] = {
    "nl": ("alleen voor {}", "alleen via {}"),
    "fr": ("seulement pour {}", "seulement par {}"),
    "en": ("only for {}", "only over {}"),
}
"""For which purposes and over which channel, if the person named some."""


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
    if action is not Action.STOP:
        return ACTIONS[action][language]
    words = [STOPS.get(right, ACTIONS[action])[language]]
    for_what, over_what = NAMED[language]
    if named := named_purposes(right, purposes):
        words.append(for_what.format(", ".join(map(short, named))))
    if channel:
        words.append(over_what.format(channel))
    return ", ".join(words)


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
            language: action_text(case.right, notice.action, purposes, channel, language) for language in NAMED
        },
        **(_stopped(case, envelope) if notice.action is Action.STOP else {}),
        "decided_by": part.controller,
        "field_groups": list(notice.field_groups),
        "persons": case.persons if is_told_back else len(persons),
        "identifiers": persons,
        "nonce": hmac.new(key, f"notice/{notice.notice_id}".encode(), hashlib.sha256).hexdigest()[:32],
        "text": dict(_text(notice, files)),
    }
    if notice.recipient == part.principal:
        document |= {"agreement": part.agreement_id, "exchanges": [_file(holder) for holder in files]}
    if notice.channel is Channel.PREFIX:
        names = {word: f"acks/notice-{notice.notice_id}.{end}" for end, word in ENDS.items()}
        document["acknowledge"] = names
    return document


def _text(notice: Notice, files: Sequence[Holder]) -> Mapping[str, str]:
    if files and all(holder.is_guess for holder in files):
        return GUESS[notice.channel]
    return TEXTS[notice.side if notice.channel is Channel.PREFIX else Channel.DESK]


def _persons(
    notice: Notice, case: Case, part: SubCase, envelope: Envelope, files: Sequence[Holder]
) -> list[list[dict[str, str]]]:
    """The persons that a notice names.

    For a request file about many, these are the ones that the notice's exchanges held, or all if nobody knows
    which.
    """
    if case.channel != FILE:
        return [known_to(part, envelope)]
    if notice.recipient == case.principal:
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
        "text": dict(TEXTS[state]),
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
        "text": dict(TEXTS[outcome]),
    }


SAID = {NoticeOutcome.OTHER_PRINCIPAL: NoticeOutcome.UNKNOWN_NOTICE}
"""The outcome that the sender reads instead, so that nobody learns from us which numbers of others exist."""
NOT_SAID = frozenset({NoticeOutcome.UNKNOWN_NOTICE, NoticeOutcome.OTHER_PRINCIPAL, NoticeOutcome.UNREADABLE})


def written(document: Mapping[str, object]) -> bytes:
    """The bytes of a document as they are put."""
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"
