"""Put into words what an objection or withdrawal keeps the person out of: all it reaches, or what they named. Pure."""

from collections.abc import Iterator

from sluice.agreement.dpv import short
from sluice.documents.words import Words
from sluice.rights.case.model import PROTECTED, Protection
from sluice.rights.letters.model import LetterFacts
from sluice.rights.person.reach import keeps_marketing_out


def hold_of(say: Words, facts: LetterFacts) -> Iterator[str]:
    """Yield how the person is protected meanwhile, and the uses they named, if any.

    A protection until a decision always covers everything.
    """
    protection = PROTECTED.get(facts.case.right)
    if protection is None:
        return
    is_limited = facts.is_limited and protection in (Protection.OBJECTED, Protection.CONSENT_WITHDRAWN)
    named = (f"letter.hold.{protection}.named",) if is_limited else ()
    yield say.find(*named, f"letter.hold.{protection}") or ""
    if keeps_marketing_out(facts.case.right, facts.purposes):
        yield say.say("letter.hold.marketing")
    if is_limited:
        yield from named_of(say, facts)


def named_of(say: Words, facts: LetterFacts) -> Iterator[str]:
    """Yield what the person named, and that the rest stays as it was."""
    if not facts.is_limited:
        return
    named = []
    if facts.purposes:
        named.append(say.say("letter.named.purposes", purposes=", ".join(map(short, facts.purposes))))
    if facts.channel:
        named.append(say.find(f"letter.channel.{facts.channel}") or facts.channel)
    yield say.say("letter.named", named="; ".join(named))
