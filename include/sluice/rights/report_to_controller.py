"""Confirm to a principal that its part was carried out: counts, and where the certificate is. It names no person."""

import hashlib

from sluice.documents.words import in_each_language
from sluice.exchange.house import House
from sluice.returns.notices import give_notice
from sluice.rights.case import store
from sluice.rights.case.model import Action, Case, Right, SubCase
from sluice.rights.case.states import JUST_CARRIED_OUT
from sluice.rights.erasure.certificate import issue_of
from sluice.rights.erasure.scan_store import Scan
from sluice.rights.notices import notice_store
from sluice.rights.person.reach import keeps_marketing_out
from sluice.rights.person.rectify import NOBODY, NOT_CONCERNED
from sluice.rights.person.sealed import find_sealed
from sluice.times import utc_text

NOTHING_DONE = {NOBODY: "CONFIRMED_NOBODY", NOT_CONCERNED: "CONFIRMED_NOTHING"}


def report_done(house: House, case: Case, part: SubCase, scan: Scan | None) -> str | None:
    """Put the confirmation of a part into the principal's notices, and return its SHA-256. None until it is proven.

    ``scan``: the last second scan at this principal. The same proof always gives the same file.
    """
    name, proof = f"confirmation-{part.sub_case_id}", {}
    if part.action is Action.ERASE:
        if scan is None or not scan.is_clean:
            return None
        [certificate] = issue_of(house, case.case_id, [scan])
        proof = _proof(scan, hashlib.sha256(certificate.jws).hexdigest())
        name = f"{name}.{scan.entry_hash[:16]}"
    notice = give_notice(house, f"{part.principal}/notices/{name}.json", _document(house, case, part) | proof)
    return notice.sha256


def _document(house: House, case: Case, part: SubCase) -> dict[str, object]:
    steps = [step for step in store.list_steps(house.conn, case.case_id) if step.sub_case_id == part.sub_case_id]
    done = next(step for step in reversed(steps) if step.to_state in JUST_CARRIED_OUT)
    word = "CONFIRMED_REFUSAL" if part.action is Action.REFUSE else "CONFIRMED"
    keeps_out = part.action is Action.REFUSE and _keeps_marketing_out(house, case)
    if keeps_out:
        word = "CONFIRMED_ALL_BUT_MARKETING"
    return {
        "notice": "case.confirmed",
        "case": part.sub_case_id,
        "right": case.right.value,
        "action": part.action.value if part.action else None,
        "field_groups": list(part.action_fields or part.field_groups),
        "persons": case.persons,
        "carried_out_at": utc_text(done.at),
        "recipients": notice_store.count_recipients(house.conn, part.sub_case_id),
        **({"kept_out_of": "marketing"} if keeps_out else {}),
        "text": in_each_language(f"controller.{NOTHING_DONE.get(done.reason_code, word)}"),
    }


def _keeps_marketing_out(house: House, case: Case) -> bool:
    """Whether its person stays out of marketing although the objection was refused (Art. 21(3))."""
    sealed = find_sealed(house, case.subject_key) if case.right is Right.OBJECTION else None
    return sealed is not None and keeps_marketing_out(case.right, sealed.envelope.purposes)


def _proof(scan: Scan, sha256: str) -> dict[str, object]:
    done = scan.done
    return {
        "stores": [line.model_dump(mode="json") for line in done.stores],
        "objects_scanned": done.objects_scanned,
        "residual": done.residual,
        "certificate": {"file": f"notices/erasure-certificate.{scan.entry_hash[:16]}.json", "sha256": sha256},
    }
