"""Kinds of secrets by their form, for the scan of what git keeps (S-13)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

KINDS: dict[str, re.Pattern[bytes]] = {
    "key id of AWS": re.compile(rb"\b(?:AKIA|ASIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA)[A-Z2-7]{16}\b"),
    "secret key of AWS": re.compile(rb"(?i)aws_secret\w{0,12}[\"']?\s*[:=]\s*[\"']?[a-z0-9/+]{40}\b"),
    "private key": re.compile(
        rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\\n|[\s+\"'fb-])*[\w+/=:]{16}"
    ),
    "key of age": re.compile(rb"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    "JWT": re.compile(rb"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}"),
    "token of a service": re.compile(
        rb"\b(?:gh[pousr]_\w{36}|github_pat_\w{40,}|glpat-[\w-]{20}|xox[abprs]-[\w-]{10,}|AIza[\w-]{35}"
        rb"|sk_live_\w{16,}|npm_\w{36}|pypi-AgEI[\w-]{20,}|hf_\w{30,}|sk-[\w-]{40,})"
    ),
    "password of a URL": re.compile(rb"\b[a-z][a-z0-9+]{2,20}://[\w.%-]+:(?P<value>[^\s@/\"'{}<>$%]{3,})@"),
    "password": re.compile(
        rb"(?i)\b[\w-]{0,30}(?:password|passwd|passphrase|secret|api_?key|master_?key|signing_?key|token)[\"']?\s{0,3}"
        rb"(?::\s?str\s?)?[:=]\s{0,3}[\"'](?P<value>[^\"'\s{}<>$()%]{8,200})[\"']"
    ),
    "password of a shell": re.compile(
        rb"(?m)\b[A-Z][A-Z0-9_]{0,40}(?:PASSWORD|PASSWD|SECRET|TOKEN|API_KEY|MASTER_KEY|SIGNING_KEY)="
        rb"(?P<value>[^\s\"'{}<>$`()%.,;\\]{8,200})"
    ),
    "password of YAML": re.compile(
        rb"(?im)^[+ \t-]*[\w-]{0,30}(?:password|passwd|secret|token|api_?key|master_?key|signing_?key):[ \t]+"
        rb"(?P<value>(?=\S*\d)[^\s\"'{}<>$()\[\],#&*|.]{8,200})[ \t]*$"
    ),
    "key of 32 bytes": re.compile(rb"(?i)key\w{0,12}[\"']?\s*[:=]\s*b?[\"'](?P<value>[\w+/-]{43}=|[0-9a-f]{64})[\"']"),
}


class Finding(NamedTuple):
    """Something of the form of a secret: its kind, and its text (of an assignment only the value)."""

    kind: str
    text: str


def find_secrets(content: bytes) -> Iterator[Finding]:
    """Everything in a text that has the form of a secret."""
    for kind, form in KINDS.items():
        for match in form.finditer(content):
            value = match["value"] if "value" in form.groupindex else match[0]
            yield Finding(kind, value.decode("utf-8", "replace"))
