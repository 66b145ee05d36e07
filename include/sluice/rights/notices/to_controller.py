"""What a principal reads about a case: its own number, its own identifiers, and nothing of anybody else.

Every document is a function of the case alone, so a rerun writes the same bytes under the same key.
"""

from collections.abc import Collection, Mapping
from itertools import count

from sluice.rights.case.model import ACTIONS, Case, SubCase
from sluice.rights.person.envelope import Envelope
from sluice.rights.person.identifiers import WORDS, Identifier, places_at
from sluice.terms import Principal
from sluice.times import utc_text

TEXTS: Mapping[str, Mapping[str, str]] = {
    "FORWARDED": {
        "nl": "Een persoon vraagt dit aan u als verwerkingsverantwoordelijke. Zet uw instructie onder requests/.",
        "fr": "Une personne vous demande ceci, à vous responsable. Déposez votre instruction sous requests/.",
        "en": "A person asks this of you as controller. Put your instruction under requests/.",
    },
    "REMINDED": {
        "nl": "Voor dit verzoek wachten we nog op uw instructie. De wettelijke termijn loopt.",
        "fr": "Nous attendons toujours votre instruction pour cette demande. Le délai légal court.",
        "en": "We still wait for your instruction on this request. The legal period is running.",
    },
    "ESCALATED": {
        "nl": "Voor dit verzoek is er nog altijd geen instructie. Het contactcenter neemt contact met u op.",
        "fr": "Il n'y a toujours pas d'instruction pour cette demande. Le centre de contact vous contactera.",
        "en": "There is still no instruction on this request. The contact center will get in touch with you.",
    },
    "WITHDRAWN": {
        "nl": "De persoon heeft dit verzoek ingetrokken. U hoeft niets meer te doen.",
        "fr": "La personne a retiré cette demande. Vous n'avez plus rien à faire.",
        "en": "The person has withdrawn this request. There is nothing left for you to do.",
    },
    "READ": {
        "nl": "Dit verzoek is gelezen. Rijen die niemand aanduiden staan hieronder, met hun nummer.",
        "fr": "Cette demande est lue. Les lignes qui ne désignent personne sont ci-dessous, avec leur numéro.",
        "en": "This request was read. Rows that name nobody are listed below by their number.",
    },
    "REFUSED": {
        "nl": "Dit bestand kon niet worden gevolgd. De code zegt waarom; niets is gedaan.",
        "fr": "Ce fichier n'a pas pu être suivi. Le code dit pourquoi; rien n'a été fait.",
        "en": "This file could not be followed. The code says why; nothing was done.",
    },
    "IDENTITY_FAILED": {
        "nl": "Wie dit vraagt, kon bij ons niet tonen wie het is: wij geven die persoon geen gegevens. Weiger (refuse, "
        "A12IdentityFailure), of vraag met een eigen bestand onder requests/ uw gegevens zelf op en antwoord zelf.",
        "fr": "Qui demande ceci n'a pas pu prouver son identité chez nous : nous ne lui donnons rien. Refusez (refuse, "
        "A12IdentityFailure), ou demandez vos données par votre propre fichier sous requests/ et répondez vous-même.",
        "en": "Who asks this could not show us who they are: we give that person no data. Refuse (refuse, "
        "A12IdentityFailure), or ask for your data by a file of your own under requests/ and answer yourself.",
    },
    "CONTRADICTS": {
        "nl": "Dit spreekt uw vorige instructie tegen, die nog niet is uitgevoerd. Er wordt niets meer uitgevoerd; "
        "wat al was uitgevoerd, blijft zo. Het contactcenter neemt contact met u op. Zet daarna uw beslissing opnieuw "
        "onder requests/, in een nieuw bestand.",
        "fr": "Ceci contredit votre instruction précédente, qui n'est pas encore exécutée. Plus rien n'est exécuté; "
        "ce qui l'était déjà le reste. Le centre de contact vous contactera. Déposez ensuite à nouveau votre décision "
        "sous requests/, dans un nouveau fichier.",
        "en": "This contradicts your earlier instruction, which is not carried out yet. Nothing more is carried out; "
        "what already was stays so. The contact center will get in touch with you. Then put your decision anew under "
        "requests/, in a new file.",
    },
    "INSTRUCTED": {
        "nl": "Uw instructie is aanvaard en wordt uitgevoerd.",
        "fr": "Votre instruction est acceptée et sera exécutée.",
        "en": "Your instruction is accepted and will be carried out.",
    },
    "ERASURE_WAITS": {
        "nl": "Sommige personen van uw bestand zijn nog niet gewist. Zij lieten de verwerking beperken (AVG art. 18) "
        "of krijgen nog een antwoord (art. 15 of 20): nu wissen zou daarmee in strijd zijn. Zodra dat voorbij is, "
        "worden zij gewist; u hoeft niets te doen. Voor alle anderen wordt uw instructie uitgevoerd.",
        "fr": "Certaines personnes de votre fichier ne sont pas encore effacées. Elles ont fait limiter le traitement "
        "(RGPD art. 18) ou attendent une réponse (art. 15 ou 20) : les effacer maintenant y serait contraire. Dès que "
        "cela est terminé, elles sont effacées ; vous n'avez rien à faire. Pour toutes les autres, votre instruction "
        "est exécutée.",
        "en": "Some persons of your file are not erased yet. They had the processing restricted (GDPR Art. 18) or are "
        "owed an answer (Art. 15 or 20): erasing them now would infringe that. Once it has ended they are erased; you "
        "need not do anything. For everybody else your instruction is carried out.",
    },
    "CONFIRMED": {
        "nl": "Dit is uitgevoerd. De aantallen staan hieronder; het certificaat, als er een is, ligt onder notices/.",
        "fr": "Ceci est exécuté. Les nombres sont ci-dessous; le certificat, s'il y en a un, est sous notices/.",
        "en": "This was carried out. The counts are below; the certificate, if there is one, lies under notices/.",
    },
    "CONFIRMED_NOBODY": {
        "nl": "Er is niets veranderd: van deze persoon is hier niets meer.",
        "fr": "Rien n'a été changé : il ne reste rien de cette personne ici.",
        "en": "Nothing was changed: nothing of this person is left here.",
    },
    "CONFIRMED_NOTHING": {
        "nl": "Er is niets gewijzigd: niets van wat juist is, hoort bij deze gegevens.",
        "fr": "Rien n'a été changé : rien de ce qui est exact ne figure parmi ces données.",
        "en": "Nothing was changed: nothing of what is right is among this data.",
    },
    "CONFIRMED_REFUSAL": {
        "nl": "Uw weigering is genoteerd; er is niets gedaan. Wie de persoon antwoordt, staat in de overeenkomst.",
        "fr": "Votre refus est noté; rien n'a été fait. Qui répond à la personne est dit dans le contrat.",
        "en": "Your refusal is noted; nothing was done. Who answers the person is said in the agreement.",
    },
}


def notice_key(part: SubCase, end: str = "") -> str:
    """The key of a notice about a part, in the prefix of the part's own principal."""
    return f"{part.principal}/notices/case-{part.sub_case_id}{end}.json"


def forward_document(case: Case, part: SubCase, envelope: Envelope) -> dict[str, object]:
    """The request as its controller gets it, with the identifiers that this principal's own files know.

    A request that came in a principal's own file is not repeated to it: the document only says how many it named.
    """
    persons = [] if case.channel == "file" else [known_to(part, envelope)]
    return {
        "notice": "case.forwarded",
        "case": part.sub_case_id,
        "right": case.right.value,
        "article": case.right.article,
        "received": case.due.received.isoformat(),
        "legal_due": case.due.legal_due.isoformat(),
        "agreement": part.agreement_id,
        "agreement_version": part.agreement_version,
        "field_groups": list(part.field_groups),
        "decisions": sorted(action.value for action in ACTIONS[case.right]),
        "persons": case.persons,
        "identifiers": persons,
        **({"purposes": list(envelope.purposes)} if envelope.purposes else {}),
        **({"channel": envelope.contact_channel} if envelope.contact_channel else {}),
        "text": dict(TEXTS["FORWARDED"]),
    }


def told_document(case: Case, part: SubCase, word: str) -> dict[str, object]:
    """A reminder, an escalation or a withdrawal. It has no identifiers, because the first notice had them."""
    return {
        "notice": f"case.{word.lower()}",
        "case": part.sub_case_id,
        "right": case.right.value,
        "legal_due": case.due.legal_due.isoformat(),
        "forwarded_at": utc_text(part.forwarded_at) if part.forwarded_at else None,
        "text": dict(TEXTS[word]),
    }


def known_to(part: SubCase, envelope: Envelope) -> list[dict[str, str]]:
    """The identifiers that the files of a part's principal know."""
    return [_said(envelope.identifiers[place]) for place in _known_places(part, envelope)]


def persons_known_to(
    part: SubCase, envelope: Envelope, among: Collection[int] | None = None
) -> list[list[dict[str, str]]]:
    """As :func:`known_to`, person by person; persons without any such identifier are left out.

    ``among``: only these places of the sealed list; None: all.
    """
    known = frozenset(_known_places(part, envelope)) & frozenset(
        range(len(envelope.identifiers)) if among is None else among
    )
    places = count()
    every = [[(next(places), each) for each in person] for person in envelope.persons]
    found = [[_said(each) for place, each in person if place in known] for person in every]
    return [person for person in found if person]


def _known_places(part: SubCase, envelope: Envelope) -> list[int]:
    own = places_at(envelope.identifiers, Principal(part.principal))
    return own if part.identifiers is None else [place for place in part.identifiers if place in own]


def _said(identifier: Identifier) -> dict[str, str]:
    return {"kind": WORDS[identifier.kind], "value": identifier.value}
