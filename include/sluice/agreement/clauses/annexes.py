"""The annexes of an agreement (SCC 2021/915), which registers and notices need but judging a file does not.

They are read from the registered bytes, so that a register of a past date quotes the very document known then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from sluice.agreement.document import Spot, parse_document
from sluice.agreement.model import Agreement, DataContract
from sluice.agreement.timeline import Days


@dataclass(frozen=True, slots=True)
class Party:
    """A party as it signed (Annex I). None for anything that the paper does not say."""

    code: str
    name: str
    kbo: str | None
    address: str | None
    email: str | None
    phone: str | None
    dpo_name: str | None
    dpo_email: str | None
    dpo_phone: str | None


@dataclass(frozen=True, slots=True)
class Annexes:
    """Annex I (parties), II (processing), III (security), and duties that registers and notices mention.

    ``subject_categories``, ``nature``, ``sensitive_categories``: DPV IRIs. ``security``: pairs of heading code and
    text. ``breach_notice_hours``: within how many hours the processor tells the controller of a breach (Art. 33(2));
    None if the paper does not say.
    """

    controllers: tuple[Party, ...]
    processors: tuple[Party, ...]
    subject_matter: str
    subject_categories: tuple[str, ...]
    nature: tuple[str, ...]
    duration: str
    sensitive_categories: tuple[str, ...]
    art9_condition: str | None
    security: tuple[tuple[str, str], ...]
    dpia: str | None
    breach_notice_hours: int | None


@lru_cache(maxsize=256)
def parse_annexes(body: bytes, path: str) -> Annexes:
    """The annexes of an agreement in registered bytes. Raises PaperInvalid if they are no YAML."""
    root = parse_document(body, path).root
    processing, help_ = root["processing"], root["duties"]["f_assistance"]
    hours = help_["breachNoticeHours"].value
    return Annexes(
        controllers=tuple(_party(spot) for spot in root["parties"]["controllers"]),
        processors=tuple(_party(spot) for spot in root["parties"]["processors"]),
        subject_matter=processing["subjectMatter"].text or "",
        subject_categories=_texts(processing["subjectCategories"]),
        nature=_texts(processing["nature"]),
        duration=processing["duration"].text or "",
        sensitive_categories=_texts(processing["sensitiveData"]["categories"]),
        art9_condition=processing["sensitiveData"]["art9Condition"].text,
        security=tuple((str(spot["code"].value), spot["text"].text or "") for spot in root["security"]),
        dpia=help_["dpia"].text,
        breach_notice_hours=hours if isinstance(hours, int) else None,
    )


@dataclass(frozen=True, slots=True)
class Process:
    """The part of the business that a contract belongs to, and the team that owns it (ODCS ``domain`` and ``team``)."""

    domain: str | None
    team: str | None


@lru_cache(maxsize=256)
def parse_process(body: bytes, path: str) -> Process:
    """The business process of a contract in registered bytes. Raises PaperInvalid if they are no YAML."""
    root = parse_document(body, path).root
    return Process(root["domain"].text, root["team"]["name"].text)


@dataclass(frozen=True, slots=True)
class Known:
    """An agreement with its annexes and the days it held, as known at an instant."""

    agreement: Agreement
    annexes: Annexes
    days: Days


@dataclass(frozen=True, slots=True)
class KnownContract:
    """A contract with the days it held, as known at an instant. There is none for a contract with a gap."""

    contract: DataContract
    process: Process
    days: Days


def _party(spot: Spot) -> Party:
    contact, dpo = spot["contact"], spot["dpo"]
    return Party(
        code=str(spot["code"].value),
        name=str(spot["name"].value),
        kbo=spot["kbo"].text,
        address=spot["address"].text,
        email=contact["email"].text,
        phone=contact["phone"].text,
        dpo_name=dpo["name"].text,
        dpo_email=dpo["email"].text,
        dpo_phone=dpo["phone"].text,
    )


def _texts(spot: Spot) -> tuple[str, ...]:
    return tuple(str(each) for each in spot.value or ())


def own_party(known: Iterable[Known], code: str, name: str | None) -> Party:
    """The party with our own ``code``, as the youngest of these agreements names it; else only code and ``name``."""
    youngest = sorted(known, key=lambda each: each.days.first, reverse=True)
    named = (party for each in youngest for party in each.annexes.processors if party.code == code)
    return next(named, Party(code, name or code, None, None, None, None, None, None, None))
