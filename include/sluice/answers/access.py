"""The files of an access answer (GDPR Art. 15): a letter to read, tables, a workbook, one document with all of it.

What stands in the page, the document and the tables is the same; the manifest says what was searched.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sluice.answers.facts import Facts
from sluice.answers.files import CSV, Drafting
from sluice.answers.info import Information
from sluice.answers.labels import group_name
from sluice.answers.page import make_answer_page
from sluice.documents.pdf import make_pdf
from sluice.documents.words import Words, words
from sluice.rights.case.reasons import THIRD_PARTY
from sluice.rights.letters.document import spoken
from sluice.times import utc_text

FORMAT = "sluice-access-1"
MANIFEST = "manifest.json"


def write_access(draft: Drafting, facts: Facts, *, with_letter: bool = True) -> None:
    """Every file of the package but the list of hashes. with_letter: to the person; a controller gets the data."""
    say, tables = words(facts.language), facts.selected.tables
    for group, table in tables.items():
        draft.table(f"data/{group}.csv", table, CSV)
    if tables:
        sheets = [(group, table, dict[str, str]()) for group, table in tables.items()]
        draft.workbook("access.xlsx", sheets, say.say("answer.access.title", sender=facts.sender.name))
    document = _document(say, facts)
    if with_letter:
        page = make_answer_page(facts)
        draft.bytes("access.pdf", make_pdf(page, facts.made_at))
        document |= {"title": page.title, "text": list(spoken(page))}
    draft.bytes("access.json", as_json(document))
    draft.bytes(MANIFEST, as_json(manifest(draft, facts)))


def as_json(document: Mapping[str, Any]) -> bytes:
    """A document as people and programs read it."""
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def manifest(draft: Drafting, facts: Facts) -> dict[str, Any]:
    """Which stores were searched, zero hits too, what is left out, and the hash of every file so far."""
    return {
        "format": f"{FORMAT}-manifest",
        "case": facts.case.case_id,
        "right": facts.case.right.value,
        "made_at": utc_text(facts.made_at),
        "stores": [
            {
                "company": facts.companies.get(count.principal),
                "store": count.store,
                "copies_searched": count.copies,
                "copies_naming_the_person": count.hits,
                "rows": count.rows,
            }
            for count in facts.stores
        ],
        "withheld": dict(facts.selected.withheld),
        "withheld_by_dataset": [asdict(each) for each in facts.selected.by_dataset],
        "cut_in_workbook": dict(draft.cut),
        "files": [
            {"path": line.path, "sha256": line.sha256, "bytes": line.size_bytes, "rows": line.rows}
            for line in draft.lines()
        ],
    }


def _document(say: Words, facts: Facts) -> dict[str, Any]:
    case = facts.case
    return {
        "format": FORMAT,
        "case": case.case_id,
        "language": facts.language,
        "made_at": utc_text(facts.made_at),
        "sender": {"name": facts.sender.name, "contact": facts.sender.contact},
        "received": case.due.received.isoformat(),
        "legal_due": case.due.legal_due.isoformat(),
        "confirmation": facts.is_processed,
        "kept_out": list(facts.kept_out),
        "information": [_information(facts, each) for each in facts.information],
        "forwarded": [
            {"company": each.company, "on": each.on.isoformat(), "ledger_entry": each.entry_hash}
            for each in facts.forwarded
        ],
        "fields": fields_of(facts),
        "withheld": {
            "reason": THIRD_PARTY,
            "counts": dict(facts.selected.withheld),
            "by_dataset": [asdict(each) for each in facts.selected.by_dataset],
        },
        "data": {group: table.to_dicts() for group, table in facts.selected.tables.items()},
        "labels": {group: group_name(say, group) for group in facts.selected.tables},
    }


def fields_of(facts: Facts) -> list[dict[str, Any]]:
    """Every column: in or not, and why."""
    return [
        {
            "company": facts.companies[line.principal],
            "dataset": line.dataset,
            "contract_version": line.version,
            "name": line.name,
            "group": line.group,
            "included": line.included,
            "reason": line.iri or line.reason,
        }
        for line in facts.selected.fields
    ]


def _information(facts: Facts, info: Information) -> dict[str, Any]:
    return {
        "company": info.company,
        "purposes": [
            {
                "iri": each.iri,
                "text": dict(each.text),
                "legal_basis": each.legal_basis,
                "basis_holder": each.basis_holder,
            }
            for each in info.purposes
        ],
        "categories": list(info.categories),
        "recipients": list(info.recipients),
        "recipients_of_files_made_from": list(info.guessed),
        "processors": list(info.processors),
        "sources": list(info.sources),
        "retention": [
            {"copy": each.kind, "last_day": each.last_day.isoformat() if each.last_day else None} for each in info.kept
        ],
        "at_contract_end": [{"choice": choice, "days": days} for choice, days in info.contract_ends],
        "countries": list(info.countries),
        "transfers": [asdict(each) for each in info.transfers],
        "automated_decisions": {"decisions": [], "calculated_fields": list(info.derived)},
        "exchanges": info.exchanges,
        "kept_out": list(info.suppressed),
        "rights": ["A15", "A16", "A17", "A18", "A20", "A21", "A7-3"],
        "remedies": {"complaint": "A77", "court": "A79"},
    }
