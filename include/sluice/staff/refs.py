"""AgentRef: the keyed reference that replaces a member of staff outside the file that named them.

It is ``HMAC-SHA256(staff key, "agent" 0x1F number)``, the first 16 bytes as 32 hexadecimal characters.
Accounts get one in the same way, with their platform. Destroying the staff key makes them unlinkable.
"""

import hashlib
import hmac
import unicodedata

_SEPARATOR = "\x1f"


def agent_ref(key: bytes, agent: str) -> str:
    """The reference of an agent's own number. Surrounding spaces and Unicode form do not matter; case does."""
    return _refer(key, "agent", agent)


def account_ref(key: bytes, platform: str, account: str) -> str:
    """The reference of an account on a platform; case and spaces as for :func:`agent_ref`."""
    return _refer(key, "account", platform, account)


def _refer(key: bytes, *words: str) -> str:
    text = _SEPARATOR.join(unicodedata.normalize("NFC", word).strip() for word in words)
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]
