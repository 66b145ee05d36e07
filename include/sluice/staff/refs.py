"""AgentRef: what stands for a member of staff outside the file that named them.

``HMAC-SHA256(staff key, "agent" 0x1F number)``, first 16 bytes, 32 hexadecimal characters; accounts
in the same way with their platform. Destroying the staff key makes them unlinkable.
"""

import hashlib
import hmac
import unicodedata

_SEPARATOR = "\x1f"


def agent_ref(key: bytes, agent: str) -> str:
    """The reference of an agent's own number. Spaces around it and Unicode form do not matter; case does."""
    return _refer(key, "agent", agent)


def account_ref(key: bytes, platform: str, account: str) -> str:
    """The reference of an account on a platform; case and spaces as for :func:`agent_ref`."""
    return _refer(key, "account", platform, account)


def _refer(key: bytes, *words: str) -> str:
    text = _SEPARATOR.join(unicodedata.normalize("NFC", word).strip() for word in words)
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]
