"""Who a next controller is (GDPR Art. 20(2)): a file of facts per controller, written once somebody verified them.

``<code>.yaml`` in ``SLUICE_CONTROLLERS_DIR``: its name and country, its prefix here or its pinned OpenPGP
certificate (or both), who verified that, when and how. Without such a file nothing goes anywhere.
"""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from sluice.agreement.clauses.facts import EEA_COUNTRIES
from sluice.agreement.codes import CODES
from sluice.agreement.document import MAX_BYTES, Fault, Spot, parse_yaml
from sluice.agreement.shape import Day, Keys, Text, check_shape
from sluice.answers.handover_model import ControllerInvalid, Receiver
from sluice.errors import Ref
from sluice.exchange.naming import PRINCIPAL_NAME
from sluice.lake.read.pgp import CertificateRefused, usable_certificate
from sluice.settings import Settings
from sluice.times import brussels_day

_CODE = Text(PRINCIPAL_NAME.pattern, "lower-case letters, digits and hyphens")
_SHAPE = Keys(
    must={
        "controller": _CODE,
        "name": Text(),
        "country": Text(r"[A-Z]{2}", "two capital letters (ISO 3166)"),
        "verified": Keys(must={"by": Text(), "on": Day(), "how": Text()}),
    },
    may={
        "prefix": _CODE,
        "pgpKey": Keys(
            must={
                "file": Text(r"[a-z0-9][a-z0-9._-]*", "a file beside this one"),
                "fingerprint": Text(r"[0-9A-Fa-f ]{40,80}", "all 40 or 64 hexadecimal digits"),
            }
        ),
    },
)
SENT_ON = "_handed"
"""First part of the keys of packages that no principal's prefix receives; the desk takes them from there, encrypted."""


def load_controller(settings: Settings, code: str, now: datetime) -> Receiver:
    """Load the next controller with this code from its file. Raises ControllerInvalid with file, line and rule."""
    path = settings.controllers_dir / f"{code}.yaml"
    if not PRINCIPAL_NAME.fullmatch(code) or not path.is_file() or path.stat().st_size > MAX_BYTES:
        raise ControllerInvalid(Ref("rule", "no such file"))
    root = _parsed(path)
    _check(settings, path, root, code, brussels_day(now))
    receiver = Receiver(code, root["name"].value, root["country"].value, root["prefix"].value or SENT_ON)
    return _pinned(path, root, receiver, now) if root["pgpKey"].is_given else receiver


def _parsed(path: Path) -> Spot:
    try:
        root = parse_yaml(path.read_bytes())
    except Fault as fault:
        line, rule = fault.line, _rule(fault.number, fault.detail)
    else:
        found = next(check_shape(root, _SHAPE), None)
        if found is None:
            return root
        raise _invalid(path, found.spot, _rule(found.number, found.detail))
    raise ControllerInvalid(Ref("file", path.name), Ref("line", line), Ref("rule", rule))


def _rule(number: str, detail: str) -> str:
    """What the linter of agreements says of such a finding; its numbers below 020 mean the same for any paper."""
    return ": ".join(filter(None, (CODES[f"AGR-{number}"].rule, detail)))


def _check(settings: Settings, path: Path, root: Spot, code: str, today: date) -> None:
    prefix, key, verified = root["prefix"], root["pgpKey"], root["verified"]["on"]
    if root["controller"].value != code:
        raise _invalid(path, root["controller"], "its code is the name of the file")
    if root["country"].value not in EEA_COUNTRIES:
        raise _invalid(path, root["country"], "a country of the EEA")
    if not prefix.is_given and not key.is_given:
        raise _invalid(path, prefix, "a prefix or a certificate")
    if prefix.is_given and not (settings.principals_dir / prefix.value).is_dir():
        raise _invalid(path, prefix, "the prefix of a principal of this installation")
    if verified.value > today:
        raise _invalid(path, verified, "verified on a day that has been")


def _pinned(path: Path, root: Spot, receiver: Receiver, now: datetime) -> Receiver:
    """Return the receiver with its certificate, which must be usable now."""
    key, content = root["pgpKey"], b""
    file = path.parent / key["file"].value
    try:
        content = file.read_bytes()
        usable_certificate(content, key["fingerprint"].value, at=now)
    except OSError:
        raise _invalid(path, key["file"], "the certificate lies beside it") from None
    except CertificateRefused as refused:
        rule = next((str(ref.value) for ref in refused.refs if ref.kind == "rule"), "pgp")
        raise _invalid(path, key, rule) from None
    return replace(receiver, certificate=content, fingerprint=key["fingerprint"].value)


def _invalid(path: Path, spot: Spot, rule: str) -> ControllerInvalid:
    return ControllerInvalid(Ref("file", path.name), Ref("line", spot.line), Ref("key", spot.where), Ref("rule", rule))
