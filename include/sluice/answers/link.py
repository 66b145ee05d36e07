"""A link for one person: made by the desk, opened without a login by whoever holds the token and the second word.

The token is 32 random bytes and is shown once; only its hash is kept. Every use and every wrong second word is counted
under a lock, and a few wrong ones close the link. A use counts once the package lies ready to go out. Whoever does not
hold both learns nothing: an unknown token, a wrong word and a closed link get the same answer.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sluice.answers import store
from sluice.answers.keep import opened
from sluice.answers.link_model import Link, LinkId, LinkOver, LinkRefused
from sluice.answers.model import Answer, AnswerGone
from sluice.db import Connection, transaction
from sluice.errors import NotFound, Ref, UsageError
from sluice.exchange.house import House
from sluice.ledger.answered import AnswerLinkClosed, AnswerLinked, AnswerTaken
from sluice.ledger.append import append
from sluice.ledger.model import EntryKind
from sluice.rights.case.clock import received_on
from sluice.rights.case.facts import link_days
from sluice.rights.case.model import CASES_CHAIN, Actor, CaseId, State
from sluice.rights.case.store import get_case
from sluice.times import utc_text

TOKEN_BYTES = 32
MOST_USES, MOST_FAILURES = 5, 5
SHORTEST_CODE = 6
LETTERS, DRAWN_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz", 8
"""Of which a second word is drawn: none that sounds or looks like another. Five wrong ones close the link."""
THE_PERSON = "the person"
"""The name recorded for whoever takes a package out by its link."""


@dataclass(frozen=True)
class NewLink:
    """A new link, handed over once: its token and the second word are kept nowhere else."""

    link: Link
    answer: Answer
    token: str
    code: str

    def __repr__(self) -> str:
        return f"NewLink({self.link.link_id})"


@dataclass(frozen=True)
class Opened:
    """The file that a link gives."""

    name: str
    content: bytes
    sha256: str

    def __repr__(self) -> str:
        return f"Opened({self.sha256})"


def make_link(
    house: House,
    case_id: CaseId,
    now: datetime,
    actor: Actor,
    *,
    code: str | None = None,
    days: int | None = None,
    most_uses: int = MOST_USES,
) -> NewLink:
    """Make a link to the package of a case.

    ``code``: the second word agreed with the person; drawn by default. The case number is none, as logs have it beside
    the token. ``days``: how long the link opens; the dated parameter by default, and never longer than the package is
    there. Raises AnswerGone, UsageError, and LinkOver when the request was taken back.
    """
    said = "".join(secrets.choice(LETTERS) for _ in range(DRAWN_LETTERS)) if code is None else code.strip()
    if len(said) < SHORTEST_CODE or said.casefold() in case_id:
        raise UsageError(Ref("option", "--code"))
    if most_uses < 1 or (days is not None and days < 1):
        raise UsageError(Ref("option", "--days or --uses"))
    answer = next((each for each in store.find_answers(house.conn, case_id) if is_for_person(each)), None)
    if answer is None:
        raise AnswerGone(Ref("case", case_id))
    if _is_taken_back(house.conn, answer):
        raise LinkOver(Ref("answer", answer.answer_id))
    token, link_id = secrets.token_urlsafe(TOKEN_BYTES), LinkId(str(uuid4()))
    last = min(days or link_days(received_on(now)), (answer.delete_after - received_on(now)).days)
    link = Link(
        link_id=link_id,
        answer_id=answer.answer_id,
        token_sha256=_hash(token),
        factor_sha256=_factor(link_id, said),
        made_at=now,
        made_by=actor.name,
        expires_at=now + timedelta(days=max(last, 1)),
        most_uses=most_uses,
        most_failures=MOST_FAILURES,
    )
    _note(house.conn, link, case_id)
    return NewLink(link, answer, token, said)


def _note(conn: Connection, link: Link, case_id: CaseId) -> None:
    """Note a link, with its ledger entry."""
    body = AnswerLinked(
        answer_id=link.answer_id,
        link_id=link.link_id,
        case_id=case_id,
        made_by=link.made_by,
        made_at=utc_text(link.made_at),
        expires_at=utc_text(link.expires_at),
        most_uses=link.most_uses,
    )
    with transaction(conn):
        store.insert_link(conn, link)
        append(conn, chain=CASES_CHAIN, kind=EntryKind.ANSWER_LINKED, exchange_id=None, body=body)


def is_for_person(answer: Answer) -> bool:
    """Whether a package is there, and is the whole answer to the person."""
    return answer.gone_at is None and answer.only_principal is None


def take_out(house: House, token: str, answer: Answer, now: datetime) -> Opened:
    """Return the package of a link whose words were checked; a failed read is no use of the link. Raises LinkOver."""
    try:
        with opened(house, answer) as packed:
            found = Opened(answer.file_name, packed.read_bytes(), answer.sha256)
    except NotFound:
        raise LinkOver(Ref("answer", answer.answer_id)) from None
    with transaction(house.conn):
        link, there = store.lock_link(house.conn, _hash(token)), store.find_answer(house.conn, answer.answer_id)
        if link is None or there is None or not _is_open(house.conn, link, there, now):
            raise LinkOver(Ref("answer", answer.answer_id))
        _use(house.conn, link, there, now)
    return found


def check_words(conn: Connection, token: str, code: str, now: datetime) -> Answer:
    """Return the answer that token and second word open now. Needs the database only: a guess costs no more than that.

    Raises LinkRefused, LinkOver; a wrong second word stays counted.
    """
    answer, over = None, False
    with transaction(conn):
        link = store.lock_link(conn, _hash(token))
        if link is not None and link.revoked_at is None and link.failures < link.most_failures:
            found = store.find_answer(conn, link.answer_id)
            if found is None or not hmac.compare_digest(link.factor_sha256, _factor(link.link_id, code)):
                _fail(conn, link, found, now)
            else:
                answer, over = found, not _is_open(conn, link, found, now)
    if answer is None:
        raise LinkRefused
    if over:
        raise LinkOver(Ref("answer", answer.answer_id))
    return answer


def _is_open(conn: Connection, link: Link, answer: Answer, now: datetime) -> bool:
    """Whether a link opens its package now, to whoever has both words."""
    return link.opens_at(now) and answer.gone_at is None and not _is_taken_back(conn, answer)


def _is_taken_back(conn: Connection, answer: Answer) -> bool:
    """Whether the person took the request back: then nobody is owed its package any more."""
    return get_case(conn, answer.case_id).state is State.WITHDRAWN_BY_SUBJECT


def _use(conn: Connection, link: Link, answer: Answer, now: datetime) -> None:
    store.count_use(conn, link.link_id)
    store.insert_taken(conn, answer.answer_id, link.link_id, THE_PERSON, now)
    body = AnswerTaken(
        answer_id=answer.answer_id,
        link_id=link.link_id,
        case_id=answer.case_id,
        by=THE_PERSON,
        at=utc_text(now),
        use=link.uses + 1,
        sha256=answer.sha256,
    )
    append(conn, chain=CASES_CHAIN, kind=EntryKind.ANSWER_TAKEN, exchange_id=None, body=body)


def _fail(conn: Connection, link: Link, answer: Answer | None, now: datetime) -> None:
    """Count a wrong second word; the last one that is allowed closes the link, and that is logged."""
    store.count_failure(conn, link.link_id)
    if answer is None or link.failures + 1 < link.most_failures:
        return
    store.revoke(conn, link.link_id, now)
    body = AnswerLinkClosed(
        answer_id=answer.answer_id,
        link_id=link.link_id,
        case_id=answer.case_id,
        why="WRONG_CODES",
        at=utc_text(now),
    )
    append(conn, chain=CASES_CHAIN, kind=EntryKind.ANSWER_LINK_CLOSED, exchange_id=None, body=body)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _factor(link_id: str, code: str) -> str:
    """Hash the second word with the link's own id, so that equal words of two links look different."""
    said = code.strip().lower().encode("utf-8", "surrogatepass")
    return hashlib.scrypt(said, salt=link_id.encode(), n=2**12, r=8, p=1, dklen=32).hex()
