"""The text of each cell of a register in one language, from papers and exchanges. Pure.

A cell that no paper fills stays empty, which is a finding if the law asks for it: nothing is made up.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sluice.agreement import dpv
from sluice.agreement.clauses.annexes import Annexes, Party
from sluice.agreement.clauses.facts import EEA_COUNTRIES
from sluice.agreement.model import Agreement, FieldRole, RetentionRule, SubProcessor
from sluice.agreement.timeline import Days
from sluice.documents.words import Words
from sluice.ledger.record import CONTRACT_END
from sluice.registers.model import Article, Center, Register, Row, Sighting
from sluice.registers.rules import categories_in, has_special_notes, is_joint, is_kept_inside, is_staff, sources_of
from sluice.registers.terms import duration_text
from sluice.terms import Direction, RoleProfile

VULNERABLE = frozenset(dpv.DPV + name for name in ("Child", "ElderlyDataSubject", "Patient", "VulnerableDataSubject"))
STAFF = dpv.DPV + "Employee"


@dataclass(frozen=True)
class Cells:
    """One row to be written. ``at``: the date of the register."""

    say: Words
    row: Row
    center: Center
    at: date

    @property
    def agreement(self) -> Agreement | None:
        return self.row.paper.agreement if self.row.paper else None

    @property
    def annexes(self) -> Annexes | None:
        return self.row.paper.annexes if self.row.paper else None

    @property
    def fields(self) -> tuple[FieldRole, ...]:
        return self.row.declared.fields if self.row.declared else ()

    @property
    def sub_processors(self) -> tuple[SubProcessor, ...]:
        """Sub-processors that work on the date of the register, or on the last day of a paper that has ended."""
        paper = self.row.paper
        if paper is None:
            return ()
        on = min(self.at, paper.days.last or self.at)
        return tuple(each for each in paper.agreement.sub_processors if on in Days(each.valid_from, each.valid_to))

    def joined(self, words: Iterable[str | None]) -> str:
        return "; ".join(dict.fromkeys(word for word in words if word))

    def term(self, kind: str, iri: str) -> str:
        """A term of the Data Privacy Vocabulary in plain words; its own name if there are none."""
        return self.say.find(f"register.{kind}.{dpv.short(iri)}") or dpv.short(iri)


def cells_of(row: Row, register: Register, say: Words) -> dict[str, str]:
    """Every cell of a row of a register, by the key of its column."""
    cells = Cells(say, row, register.center, register.at)
    makers = CONTROLLER if row.key.article is Article.CONTROLLER else PROCESSOR
    return {name: make(cells) for name, make in makers.items()}


def identification_of(register: Register, say: Words) -> dict[str, str]:
    """The identification tab of the register of 30(1): the center, as its youngest agreement names it."""
    party = register.center.party
    joint = [_controllers(Cells(say, row, register.center, register.at)) for row in register.rows if is_joint(row)]
    return {
        "controllerName": _name(party),
        "enterpriseNumber": party.kbo or "",
        "phone": party.phone or "",
        "email": party.email or "",
        "jointController": "; ".join(dict.fromkeys(joint)),
        "representative": "",
        "dpoName": _listed(party.dpo_name, party.dpo_email),
        "dpoPhone": party.dpo_phone or "",
        "dpoStaff": "",
    }


def _name(party: Party) -> str:
    return _listed(party.name, party.address)


def _contact(party: Party) -> str:
    return _listed(_name(party), party.kbo, party.email, party.phone)


def _listed(*words: str | None) -> str:
    return ", ".join(word for word in words if word)


def _purpose(cells: Cells) -> str:
    code, texts = cells.row.key.purpose, _texts(cells)
    if not code:
        return cells.say.say("register.purpose.none")
    return f"{texts.get(cells.say.language, code).rstrip('.')} ({code})"


def _texts(cells: Cells) -> Mapping[str, str]:
    """The sentence of the purpose by language: from the agreement, else from the youngest exchange that named it."""
    code = cells.row.key.purpose
    known = [each.text for each in cells.agreement.purposes if each.code == code] if cells.agreement else []
    seen = [each.text for sighting in reversed(cells.row.seen) for each in sighting.purposes if each.code == code]
    return next(iter([*known, *seen]), {})


def _basis(cells: Cells) -> str:
    code = cells.row.key.purpose
    declared = cells.agreement.purposes if cells.agreement else ()
    seen = (each for sighting in cells.row.seen for each in sighting.purposes)
    bases = [(each.legal_basis, each.basis_holder) for each in declared if each.code == code]
    bases += [(each.legal_basis, each.basis_holder) for each in seen if each.code == code]
    if is_staff(cells.row):  # the principal has no legal basis for data about our people
        bases = [each for each in bases if each[1] == "center"]
        if not bases:
            return cells.say.say("register.basis.staff")
    if not bases:
        return ""
    basis, holder = dpv.short(bases[0][0]), bases[0][1]
    say = cells.say
    return say.say("why.basis", basis=say.find(f"basis.{basis}") or basis, holder=say.find(f"party.{holder}") or holder)


def _nature(cells: Cells) -> str:
    return cells.joined(cells.term("nature", iri) for iri in (cells.annexes.nature if cells.annexes else ()))


def _group(cells: Cells) -> str:
    return cells.say.find(f"group.{cells.row.key.group}") or cells.row.key.group


def _categories(cells: Cells) -> tuple[str, ...]:
    declared = {field.category for field in cells.fields}
    seen = {iri for each in cells.row.seen for iri in categories_in(each, cells.row.key.group)}
    return tuple(sorted(declared | seen))


def _class(cells: Cells) -> str:
    found, row = _categories(cells), cells.row
    provides = cells.agreement is not None and cells.agreement.special_categories  # marks every exchange as special
    in_notes = not provides and any(has_special_notes(each, row.key) for each in row.seen)
    words = [
        "special" if in_notes or any(iri in dpv.SPECIAL_CATEGORIES for iri in found) else "",
        "criminal" if any(iri in dpv.CRIMINAL_CATEGORIES for iri in found) else "",
    ]
    return cells.joined(cells.say.say(f"register.class.{word}") for word in filter(None, words)) or cells.say.say(
        "register.class.ordinary"
    )


def _subjects(cells: Cells) -> tuple[str, ...]:
    if is_staff(cells.row):
        return (STAFF,)
    return cells.annexes.subject_categories if cells.annexes else ()


def _subject_category(cells: Cells) -> str:
    return cells.joined(cells.term("subject", iri) for iri in _subjects(cells))


def _vulnerable(cells: Cells) -> str:
    if not _subjects(cells):
        return ""
    return cells.say.say("register.yes" if VULNERABLE & set(_subjects(cells)) else "register.no")


def _source(cells: Cells) -> str:
    return cells.joined(
        cells.say.say(f"register.source.{word}", principal=cells.row.key.principal) for word in sources_of(cells.row)
    )


def _recipients(cells: Cells) -> str:
    """Recipients by name: the principal, those of the paper with its sub-processors, and those seen in exchanges.

    Data that our agents and their platform add and that never leaves the center goes only to those who work for us.
    """
    row, stays = cells.row, is_kept_inside(cells.row)
    named = [row.key.principal, *(cells.agreement.recipients if cells.agreement else ())] if not stays else []
    parts = [each.name for each in cells.sub_processors]
    seen = [name for each in row.seen for name in (*each.recipients, *each.sub_processors)]
    said = cells.joined(name for name in (*named, *parts, *seen) if name != cells.center.code)
    return said or (cells.say.say("register.recipients.none") if stays else "")


def _contract(cells: Cells) -> str:
    if cells.agreement is None:
        return cells.row.key.agreement_id
    said = f"{cells.agreement.agreement_id} {cells.agreement.version}"
    return cells.joined((said, _reverse(cells, cells.agreement), cells.agreement.joint_arrangement_ref))


def _reverse(cells: Cells, agreement: Agreement) -> str:
    """Under SEED_OWNER, name the paper that makes the principal our processor (Art. 28 the other way round), if any."""
    if all(field.role_profile is not RoleProfile.SEED_OWNER for field in cells.fields):
        return ""
    paper = agreement.seed_owner_reverse_ref
    return cells.say.say(
        f"register.processor.{'reverse' if paper else 'none'}", principal=agreement.principal, paper=paper
    )


def _abroad(cells: Cells) -> dict[str, list[str]]:
    """Countries outside the EEA, from the paper and from exchanges, each with all its transfer bases."""
    bases: dict[str, set[str]] = {country: set() for each in cells.row.seen for country in each.countries}
    known = cells.agreement.sub_processors if cells.agreement else ()
    for each in (*cells.sub_processors, *(part for part in known if _was_seen(part, cells.row.seen))):
        for country in each.countries:
            bases.setdefault(country, set()).update([each.transfer_basis] if each.transfer_basis else ())
    receives, declared = cells.agreement.delivery if cells.agreement else None, cells.row.declared
    if receives and declared and Direction.OUTBOUND_RETURN in declared.directions:
        bases.setdefault(receives.country, set())
    if receives and receives.transfer_basis and receives.country in bases:
        bases[receives.country].add(receives.transfer_basis)
    return {country: sorted(bases[country]) for country in sorted(set(bases) - EEA_COUNTRIES)}


def _was_seen(part: SubProcessor, seen: Iterable[Sighting]) -> bool:
    """Whether an exchange had this sub-processor on a day on which this entry about it was valid."""
    days = Days(part.valid_from, part.valid_to)
    return any(part.name in each.sub_processors and (each.first in days or each.last in days) for each in seen)


def _countries(cells: Cells) -> str:
    found = [cells.say.locale.territories.get(code, code) for code in _abroad(cells)]
    return cells.joined(found) or cells.say.say("register.transfer.none")


def _transfer(cells: Cells) -> str:
    if not _abroad(cells):
        return ""
    allowed = cells.agreement.transfers_outside_eea if cells.agreement else "forbidden"
    return cells.say.say(f"register.transfer.{allowed}")


def _safeguards(cells: Cells) -> str:
    return cells.joined(cells.term("safeguard", basis) for bases in _abroad(cells).values() for basis in bases)


def _retention(cells: Cells) -> str:
    rules = cells.agreement.retention_rules if cells.agreement else ()
    used = {field.retention_rule for field in cells.fields}
    return cells.joined(_rule(cells.say, rule) for rule in rules if rule.code in used or not cells.fields)


def _rule(say: Words, rule: RetentionRule) -> str:
    said = say.say(f"register.start.{rule.start_event}", duration=duration_text(say, rule.duration))
    return f"{said} ({rule.statute})" if rule.statute else said


def _security(cells: Cells) -> str:
    headings = cells.annexes.security if cells.annexes else ()
    return cells.joined(f"{cells.say.say(f'register.security.{code}')}: {text}" for code, text in headings if text)


def _technology(cells: Cells) -> str:
    dags = sorted({each.dag for each in cells.row.seen if each.dag})
    return cells.joined(("Apache Airflow" + (f" ({', '.join(dags)})" if dags else ""), "PostgreSQL", "S3"))


def _dpia(cells: Cells) -> str:
    return (cells.annexes.dpia or "") if cells.annexes else ""


def _rights(cells: Cells) -> str:
    if cells.row.key.article is Article.CONTROLLER or cells.agreement is None:
        return cells.say.say("register.rights.own")
    return cells.say.say("register.rights.forwarded", hours=cells.agreement.forward_hours)


def _start(cells: Cells) -> str:
    return cells.row.declared.first.isoformat() if cells.row.declared else ""


def _end(cells: Cells) -> str:
    last = cells.row.declared.last if cells.row.declared else None
    return last.isoformat() if last else ""


def _substitute(cells: Cells) -> str:
    if cells.agreement is None or not cells.agreement.supersedes:
        return ""
    said = f"{cells.agreement.agreement_id} {cells.agreement.supersedes}"
    return cells.say.say("register.substitute", paper=said)


def _remarks(cells: Cells) -> str:
    return cells.joined((_declared(cells), _seen(cells)))


def _declared(cells: Cells) -> str:
    if cells.row.declared:
        return ""
    law = "end" if cells.row.key.purpose == CONTRACT_END else "law"
    return cells.say.say(f"register.undeclared.{law}" if cells.row.is_of_the_law else "register.undeclared")


def _seen(cells: Cells) -> str:
    row, say = cells.row, cells.say
    if row.first_seen is None or row.last_seen is None:
        return say.say("register.unseen")
    days = {"first": say.day(row.first_seen.isoformat()), "last": say.day(row.last_seen.isoformat())}
    return say.count("register.seen", row.exchanges, count=say.number(row.exchanges), **days)


def _process(cells: Cells) -> str:
    return cells.joined(each.process.domain for each in (cells.row.declared.contracts if cells.row.declared else ()))


def _owner(cells: Cells) -> str:
    return cells.joined(each.process.team for each in (cells.row.declared.contracts if cells.row.declared else ()))


def _processor(cells: Cells) -> str:
    return _contact(cells.center.party)


def _processor_dpo(cells: Cells) -> str:
    party = cells.center.party
    return _listed(party.dpo_name, party.dpo_email, party.dpo_phone)


def _controllers(cells: Cells) -> str:
    parties = cells.annexes.controllers if cells.annexes else ()
    return cells.joined(map(_contact, parties)) or cells.row.key.principal


def _processing(cells: Cells) -> str:
    return cells.joined((_purpose(cells), _nature(cells), _remarks(cells)))


def _sub_processors(cells: Cells) -> str:
    return cells.joined(f"{each.name} ({', '.join(each.countries)})" for each in cells.sub_processors)


def _paper(cells: Cells) -> str:
    return cells.joined((_contract(cells), _start(cells)))


def _nothing(cells: Cells) -> str:
    """An empty cell: no paper says it, and nothing is made up."""
    return ""


Maker = Callable[[Cells], str]
CONTROLLER: Mapping[str, Maker] = {
    "businessProcess": _process,
    "processOwner": _owner,
    "processingNumber": lambda cells: cells.row.key.number,
    "functionalDescription": lambda cells: cells.annexes.subject_matter if cells.annexes else "",
    "purpose": _purpose,
    "legalBasis": _basis,
    "processingType": _nature,
    "functionalDataCategory": _group,
    "gdprDataCategory": _class,
    "subjectCategory": _subject_category,
    "vulnerableSubjects": _vulnerable,
    "source": _source,
    "recipientCategory": _recipients,
    "processorContract": _contract,
    "thirdCountry": _countries,
    "transferNature": _transfer,
    "safeguards": _safeguards,
    "retention": _retention,
    "securityMeasures": _security,
    "technology": _technology,
    "risk": _nothing,
    "dpia": _dpia,
    "rightsProcedure": _rights,
    "information": _nothing,
    "startDate": _start,
    "endDate": _end,
    "substitute": _substitute,
    "remarks": _remarks,
}
PROCESSOR: Mapping[str, Maker] = {
    "processorName": _processor,
    "processorRepresentative": _nothing,
    "processorDpo": _processor_dpo,
    "controllerName": _controllers,
    "controllerRepresentative": _nothing,
    "processingCategories": _processing,
    "thirdCountry": _countries,
    "safeguards": _safeguards,
    "securityMeasures": _security,
    "agreement": _paper,
    "subProcessors": _sub_processors,
    "endDate": _end,
}
