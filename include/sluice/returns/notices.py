"""Notices to a principal about acknowledgements: plain JSON in ``<principal>/notices/``, in nl, fr and en."""

import json
from collections.abc import Mapping

from sluice.exchange.house import House
from sluice.lake.s3.objects import StoredObject, prefix_of
from sluice.media_types import JSON

TEXTS: Mapping[str, Mapping[str, str]] = {
    "ALREADY_ACKNOWLEDGED": {
        "nl": "Deze levering was al bevestigd. U hoeft niets te doen.",
        "fr": "Cette livraison était déjà confirmée. Vous n'avez rien à faire.",
        "en": "This delivery was acknowledged before. There is nothing to do.",
    },
    "UNKNOWN_EXCHANGE": {
        "nl": "U kreeg geen levering met dit nummer. Neem het nummer over van het ontvangstbewijs.",
        "fr": "Vous n'avez reçu aucune livraison de ce numéro. Reprenez le numéro du reçu.",
        "en": "No delivery of this number was made to you. Take the number from the receipt.",
    },
    "NOT_DELIVERED": {
        "nl": "Deze levering is nog niet gebeurd. Bevestig opnieuw zodra u het bestand hebt.",
        "fr": "Cette livraison n'a pas encore eu lieu. Confirmez à nouveau dès que vous avez le fichier.",
        "en": "This delivery has not been made yet. Acknowledge again once you have the file.",
    },
    "HASH_DIFFERS": {
        "nl": "De hash is niet die van het geleverde bestand. Haal het opnieuw op, bereken de SHA-256 en bevestig.",
        "fr": "L'empreinte n'est pas celle du fichier livré. Reprenez-le, calculez le SHA-256 et confirmez.",
        "en": "The hash is not that of the file we delivered. Get the file again, compute its SHA-256, acknowledge.",
    },
    "UNREADABLE": {
        "nl": "Dit bestand bevestigt niets. Zet een leeg bestand <nummer>.ack, of JSON met exchange en sha256.",
        "fr": "Ce fichier ne confirme rien. Déposez un fichier vide <numéro>.ack, ou du JSON avec exchange et sha256.",
        "en": "This file acknowledges nothing. Put an empty file <exchange>.ack, or JSON with exchange and sha256.",
    },
    "REMINDED": {
        "nl": "Deze levering is nog niet bevestigd. Hebt u ze, zet dan een leeg bestand <nummer>.ack onder acks/.",
        "fr": "Cette livraison n'est pas encore confirmée. Si vous l'avez, déposez un <numéro>.ack vide sous acks/.",
        "en": "This delivery is not acknowledged yet. If you have it, put an empty <exchange>.ack under acks/.",
    },
    "ESCALATED": {
        "nl": "Deze levering is nog altijd niet bevestigd. Het contactcenter neemt contact met u op.",
        "fr": "Cette livraison n'est toujours pas confirmée. Le centre de contact prendra contact avec vous.",
        "en": "This delivery is still not acknowledged. The contact center will get in touch with you.",
    },
}
"""What to tell the principal for each outcome of a file and each state of a waiting return."""


def list_notices(house: House, principal: str) -> set[str]:
    """Keys of the notices that a principal was given."""
    found = house.objects.list_versions(house.settings.bucket_exchange, prefix_of(principal, "notices"))
    return {item.key for item in found}


def give_notice(house: House, key: str, document: Mapping[str, object]) -> StoredObject:
    """Put a notice where its principal reads it; putting the same again changes nothing. Raises StoreConflict."""
    content = json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"
    return house.objects.put_once(house.settings.bucket_exchange, key, content, JSON)
