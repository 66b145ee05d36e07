"""Whether a processor may answer the person: its agreement has to say so on the day of the answer too."""

from datetime import datetime

from sluice.agreement.in_force.store import find_last
from sluice.db import Connection
from sluice.rights.case.clock import received_on
from sluice.rights.case.model import Right, SubCase


def lets_answer(conn: Connection, right: Right, part: SubCase, answered_at: datetime, known_at: datetime) -> bool:
    """Whether the agreement of a part lets us answer the person, as it stood on the day of the answer.

    A later version may take back what the one of the request allowed; it never gives more. An agreement that ended
    counts as on its last day.
    """
    if not part.may_answer or part.agreement_id is None:
        return part.may_answer
    paper = find_last(conn, part.agreement_id, received_on(answered_at), known_at)
    return paper is not None and paper[0].may_answer.get(right.article, False)
