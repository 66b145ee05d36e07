"""Tell a principal about persons whom its own file asked to erase and who are left out for now."""

import hashlib
import json

from sluice.documents.words import in_each_language
from sluice.errors import Ref
from sluice.exchange.house import House
from sluice.returns.notices import give_notice
from sluice.rights.case.model import Case, Track
from sluice.rights.copies.model import Target
from sluice.rights.erasure.model import EverybodyNeeded


def tell_who_waits(house: House, case: Case, target: Target) -> None:
    """Tell the principal once how many persons are left out and why, never who (GDPR Art. 28(3), last paragraph).

    Raises EverybodyNeeded if nobody is left to erase.
    """
    if not (target.decided and target.waits):
        return
    waits = dict(target.waits)
    mark = hashlib.sha256(json.dumps(waits, sort_keys=True).encode()).hexdigest()[:16]
    for part in case.sub_cases:
        if part.principal == target.principal and part.track is Track.PROCESSOR:
            key = f"{part.principal}/notices/erasure-waits-{part.sub_case_id}.{mark}.json"
            said = {"notice": "case.erasure_waits", "case": part.sub_case_id, "right": case.right.value}
            give_notice(house, key, {**said, "persons": waits, "text": in_each_language("controller.ERASURE_WAITS")})
    if not target.refs:
        raise EverybodyNeeded(Ref("case", case.case_id), Ref("persons", sum(waits.values())))
