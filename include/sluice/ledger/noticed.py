"""Bodies of entries about telling recipients (GDPR Art. 19). They hold codes, counts and hashes, and no person."""

from sluice.ledger.record import Part


class RecipientLine(Part):
    """Somebody who has to be told, of which field groups, because of how many exchanges."""

    notice_id: str
    recipient: str
    side: str
    channel: str
    field_groups: tuple[str, ...]
    exchanges: int


class RecipientsFound(Part):
    """Who has to be told of one decided part; ``exchanges``: how many held the persons of the case."""

    case_id: str
    sub_case_id: str
    principal: str
    action: str
    found_at: str
    exchanges: int
    recipients: tuple[RecipientLine, ...]


class NoticeMoved(Part):
    """A notice went from one state to another. ``via``: system, file (under acks/) or command.

    ``evidence_sha256``: of the notice, of the recipient's own file, or of the proof that the desk has.
    """

    notice_id: str
    sub_case_id: str
    recipient: str
    from_state: str
    to_state: str
    at: str
    by: str
    via: str
    evidence_sha256: str | None = None
    was_late: bool = False
    reason: str | None = None


class NoticeAnswerRefused(Part):
    """A file under acks/ about a notice that changes nothing, and why; ``notice_id`` only if it named one of ours."""

    principal: str
    outcome: str
    notice_id: str | None
    bucket: str
    key: str
    version_id: str
