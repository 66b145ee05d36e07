"""Every verb of the command line, said with canaries where a person would be named (S-01)."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from leaks.canaries import Person

Words = tuple[str, ...]
NOT_SAID = {
    ("up",): "the installation runs", ("down",): "it is still needed", ("demo",): "a story of its own",
    ("keys", "confirm"): "a key would be destroyed",
}  # fmt: skip
"""Verbs that are not said here, and why."""


def verbs(people: Sequence[Person], folder: Path, at: dict[str, str]) -> Iterator[Words]:
    """What is said; ``at``: ids of an exchange, a case and paths of files that are there."""
    yield from _about_persons(people, folder, at)
    yield from _about_files(folder, at)
    yield from _about_cases(people, folder, at)
    yield from _about_the_house(people, folder, at)


def _about_persons(people: Sequence[Person], folder: Path, at: dict[str, str]) -> Iterator[Words]:
    who = people[0]
    phone, mail, customer = f"phone:{who.phone}", f"email:{who.email}", f"customer:{who.record}"
    for said in (phone, mail, customer, f"phone:{who.name}", f"{who.name}:{who.iban}"):
        yield "subject", "where", said
        yield "suppression", "check", said
    for kind, value in (("phone", who.phone), ("email", who.email), (who.name, who.iban), ("phone", who.name)):
        yield "subject", "ref", kind, value, "--principal", "energy01"
    yield "subject", "candidates", at["request"], "--principal", "energy01"
    yield "subject", "merge-index"
    given = ("--purpose", "P-RENEW", "--channel", "phone", "--method", "web", "--notice", "n-1")
    yield "consent", "record", "energy01", phone, *given, "--collected-by", "energy01"
    yield "consent", "withdraw", "energy01", phone, *given[:4]
    yield "consent", "withdraw", "energy01", f"phone:{who.iban}", *given[:4]
    yield "consent", "import", at["failing"], "energy01"
    yield "consent", "show", "energy01", phone
    yield "consent", "show", who.name, phone
    yield "consent", "export", "energy01", phone, "--to", str(folder / "consents.json")
    yield "lineage", "show", "--subject", phone, "--principal", "energy01"
    yield "lineage", "show", "--subject", who.name
    yield "staff", "ref", who.name
    yield "staff", "readiness", "--agent", who.name
    yield "staff", "import", at["failing"]


def _about_files(folder: Path, at: dict[str, str]) -> Iterator[Words]:
    contract = at["contract"]
    for file in (at["sound"], at["failing"], at["names"], at["nowhere"]):
        yield "gate", "run", file, "--agreement", "DPA-ENERGY01", "--flow", "renewal_campaign", "--dry-run"
        yield "contract", "lint", file
        yield "contract", "explain", file
        yield "contract", "export", file, "--to", "dcat"
        yield "agreement", "lint", file
        yield "receipt", "verify", file, "--key", at["sound"]
        yield "receipt", "roles", file, "--key", at["sound"]
        yield "receipt", "export", file, "--key", at["sound"], "--to", "prov"
        yield "receipt", "certificate", file, "--key", at["sound"]
        yield "dncm", "import", file
        yield "dncm", "import", file, "--smaller"
        yield "dncm", "import", file, "--again"
    for file in (at["sound"], at["failing"], at["nowhere"]):  # not one whose header is wrong: they are asked for it
        yield "contract", "drift", contract, file
        yield "contract", "infer", file
    yield "agreement", "activate"
    yield "agreement", "list"
    for agreement in ("DPA-ENERGY01", at["who"]):
        yield "agreement", "roles", agreement, "--direction", "inbound"
        yield "agreement", "show", agreement
        for reason in ("BOARD_2026_01", at["who"]):
            yield "agreement", "sign-off", agreement, "--reason", reason, "--by", "anna"
    yield "exchange", "list"
    yield "exchange", "drain"
    for exchange in (at["exchange"], at["refused"], at["who"]):
        yield "exchange", "show", exchange
        yield "exchange", "held", exchange
        yield "exchange", "release", exchange
        yield "exchange", "redeliver", exchange
        yield "lineage", "show", "--exchange", exchange
        yield "review", "show", exchange
        yield "review", "read", exchange, "--to", str(folder / "review.csv")
        yield "review", "decide", exchange, "keep"
        yield "recipients", "ack", exchange
        yield "breach", "slice", "--exchange", exchange, "--to", str(folder / f"breach-{exchange[:4]}")
    yield "exchange", "prepare", "energy01", "renewal_results"
    yield "lineage", "show", "--object", at["object"]
    yield "lineage", "again"
    yield "review", "list"


def _about_cases(people: Sequence[Person], folder: Path, at: dict[str, str]) -> Iterator[Words]:
    who = people[1]
    named = ("--identifier", f"phone:{who.phone}", "--identifier", f"email:{who.email}")
    yield "case", "open", "--right", "access", *named, "--principal", "energy01", "--by", "anna"
    yield "case", "open", "--right", who.name, *named
    yield "case", "open", "--right", "erasure", "--identifier", f"phone:{who.iban}"
    yield "case", "list"
    for case in (at["case"], at["who"]):
        for verb in ("show", "candidates", "confirm", "identity", "letters", "recipients", "withdraw", "lift", "tidy"):
            yield "case", verb, case
        yield "case", "complaint", case
        yield "case", "pause", case, "--reason", who.name
        yield "case", "extend", case, "--reason", who.name
        yield "case", "decide", case, "--refuse", who.name
        yield "case", "rectify", case, at["failing"]
        yield "case", "letter", case, "--kind", "RECEIVED", "--to", str(folder / "letter.pdf")
        for verb in ("plan", "release", "preflight", "stop", "resume", "run", "verify", "certificate"):
            yield "erase", verb, case
        for verb in ("access", "portability", "decide", "link", "links"):
            yield "export", verb, case
        yield "notices", "list", "--case", case
        yield "notices", "ack", case, "--by", who.email, "--evidence", who.iban
        yield "notices", "sent", case, "--by", "anna", "--evidence", who.name
        yield "notices", "export", case, "--to", str(folder / "notice.pdf")
    yield from ((*room.split(), "follow") for room in ("case", "notices", "recipients"))
    yield from (("notices", verb) for verb in ("send", "mail", "files"))
    yield from (("clock", "due", "2026-11-20"), ("clock", "due", who.name), ("clock", "alarms"), ("erase", "status"))


def _about_the_house(people: Sequence[Person], folder: Path, at: dict[str, str]) -> Iterator[Words]:
    who = people[2]
    for name in ("energy01", who.name):
        yield "principal", "onboard", name
        yield "principal", "onboard", name, "--flow", who.name
        yield "principal", "credential", name
        yield "keys", "openpgp", name
        yield "retention", "due", "--principal", name
        yield "retention", "returned", name, "--reference", who.iban
        yield "retention", "give-back", name
        for verb in (("stop", "--reason", who.name), ("stop", "--reason", "CONTRACT_WRONG"), ("resume",)):
            yield "exchange", verb[0], name, who.email, *verb[1:]
        for flow in ("renewal_campaign", who.email):
            yield "dial", "list", name, flow, "--purpose", "P-RENEW", "--channel", "phone"
        yield "recipients", "list", "--principal", name
    yield "dial", "list", "energy01", "renewal_campaign", "--purpose", who.name, "--channel", "phone"
    yield "retention", "hold", who.name, "--until", "2027-01-01", "--reason", who.name, "--reference", who.iban
    sound = ("--until", "2027-01-01", "--reason", "legal-claims", "--reference", "C-1")
    yield "retention", "hold", who.name, *sound
    yield "retention", "hold", "energy01", "--flow", who.phone, *sound
    yield from (("retention", verb) for verb in ("holds", "run"))
    yield "exchange", "stop", "energy01", "renewal_campaign", "--reason", who.name
    yield "exchange", "stop", "water01", "meter_contacts", "--reason", "CONTRACT_WRONG", "--by", "anna"
    yield from (("exchange", "stops"), ("exchange", "resume", "water01", "meter_contacts"))
    yield "retention", "lift", who.name
    yield "keys", "destroy", who.name
    yield "keys", "list"
    yield "dncm", "list"
    yield "recipients", "files"
    yield "suppression", "replay"
    yield "ledger", "verify"
    yield "register", "export", "--article", "30.2", "--folder", str(folder / "register")
    yield from (("status",), ("doctor",))
