"""The secrets of an installation as it made them, to be looked for where they must not be (S-13)."""

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

SHORTEST = 12
"""Characters of a secret that is looked for: a shorter one would be found by chance."""


def secrets_of(var: Path) -> dict[str, str]:
    """Every secret below ``var/secrets``, by file and name; identifiers that stand beside a secret are none."""
    found: dict[str, str] = {}
    for path in sorted((var / "secrets").iterdir()):
        text = path.read_text(encoding="utf-8").strip()
        if path.suffix == ".json":
            found |= {f"{path.name}: {name}": value for name, value in _leaves(json.loads(text), path.stem)}
        else:
            body = [line for line in text.splitlines() if not line.startswith("-----")]
            found[path.name] = "".join(body)
    return {name: value for name, value in found.items() if len(value) >= SHORTEST}


def told(content: bytes, secrets: Iterable[str]) -> set[str]:
    """Which secrets a text tells: as they are, in base64, or in hexadecimal digits."""
    return {secret for secret in secrets if any(form in content for form in _forms(secret))}


def _forms(secret: str) -> Iterator[bytes]:
    plain = secret.encode()
    yield from (plain, base64.b64encode(plain).rstrip(b"="), plain.hex().encode())


def _leaves(value: object, name: str) -> Iterator[tuple[str, str]]:
    """Texts of a JSON file under names that say that they are secret; of a file of passwords all."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{name}.{number}")
    elif isinstance(value, str) and any(word in name.lower() for word in ("secret", "password", "login", "roles")):
        yield name, value
