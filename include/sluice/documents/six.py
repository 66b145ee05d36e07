"""The six answers about one exchange (what, who, why, ...), each as a short answer, a sentence and a proof. Pure.

Why, what, how long, who, how, right treatment: the questions of the exchange record (GDPR Art. 5(2), 28(3), 30), in
its order. All of it is in the record; what was removed since is given by the reader of the catalogue.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from sluice.documents.model import Answer, Roles, Text
from sluice.documents.page import contract_end, held_rows, is_made, rule_counts
from sluice.documents.returned import held_word, told_as
from sluice.documents.special import which_special
from sluice.documents.words import Words
from sluice.ledger.record import ExchangeRecord, PurposeLine
from sluice.terms import ACCEPTED_DECISIONS, Decision, Direction
from sluice.times import brussels_day

BETWEEN: Final = " · "
REASONS_SHOWN: Final = 3
"""The most reasons for held rows in the one line of an answer; each has its row in the detail below it."""
SHARED: Final = frozenset({"both", "joint", "each"})
"""Words of the role table that stand for the principal and the center."""
UNNAMED: Final = frozenset({"-", "vendor"})
"""Words of the role table that name nobody: nobody, and a supplier, if there is one. Told only where nobody else is."""
DELIMITERS: Final = {"\t": "tab", " ": "space"}
"""Delimiters that cannot be seen, by their word."""
HASH_ENDS: Final = 8
"""How many digits of a hash are shown at either end. The whole hash is in the detail below it."""


def six_answers(
    say: Words, record: ExchangeRecord, gone: Mapping[str, datetime] | None = None, special: Collection[str] = ()
) -> tuple[Answer, ...]:
    """The answers of a closed exchange in one language.

    ``gone``: kinds of copies that were removed, and when. ``special``: IRIs of data categories that are special (GDPR
    Art. 9 and 10), by which a column is named as one.
    """
    return (
        _why(say, record),
        _what(say, record, special),
        _how_long(say, record, gone or {}),
        _who(say, record),
        _how(say, record),
        _right_treatment(say, record),
    )


def _answer(say: Words, name: str, bold: str, line: str, proof: str, is_code: bool = False) -> Answer:
    """One answer. ``is_code``: whether its proof is set in a fixed-width font."""
    return Answer(name, say.say(f"six.{name}"), bold, _capital(line), Text(proof, is_code))


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _joined(parts: Iterable[str | None]) -> str:
    return BETWEEN.join(part for part in parts if part)


def _why(say: Words, record: ExchangeRecord) -> Answer:
    why, paper = record.why, None
    if why.agreement_id:
        paper = f"{why.agreement_id} {why.agreement_version}"
    instruction = say.say("six.instruction", reference=why.instruction_ref) if why.instruction_ref else None
    proof = _joined([paper, *dict.fromkeys(map(_term, why.purposes)), instruction]) or say.say("six.no_agreement")
    if not why.purposes:
        name = "no_purpose" if why.agreement_id else "no_agreement"
        line = say.say(f"why.{name}", agreement=why.agreement_id, version=why.agreement_version)
        return _answer(say, "why", say.say("six.no_purpose"), line, proof)
    first = why.purposes[0]
    text = (first.text.get(say.language) or next(iter(first.text.values()), first.code)).rstrip(".")
    more = len(why.purposes) - 1
    bold = say.count("six.purposes", more, purpose=text, more=say.number(more)) if more else text
    return _answer(say, "why", bold, say.say("six.basis", bases=BETWEEN.join(_bases(say, record))), proof)


def _term(purpose: PurposeLine) -> str:
    """The purpose's IRI as a short name with its vocabulary: ``dpv:DirectMarketing``."""
    return purpose.iri.rpartition("/")[2].replace("#", ":")


def _bases(say: Words, record: ExchangeRecord) -> Iterator[str]:
    """Each legal basis once, with whoever relies on it."""
    holders: dict[str, list[str]] = {}
    for purpose in record.why.purposes:
        holders.setdefault(purpose.legal_basis.rpartition("#")[2], []).append(purpose.basis_holder)
    for basis, held in holders.items():
        word = say.find(f"basis.{basis}") or basis
        yield say.say("six.basis.held", basis=word, holder=_parties(say, record, held))


def _parties(say: Words, record: ExchangeRecord, roles: Iterable[str]) -> str:
    """Parties of the role table by name, each once; of a role that both have, both."""
    parts = [part for role in roles for part in (("principal", "center") if role in SHARED else (role,))]
    known = [part for part in parts if part not in UNNAMED] or [part for part in parts if part in UNNAMED][:1]
    return say.listed(dict.fromkeys(_named(say, record, part) for part in known))


def _named(say: Words, record: ExchangeRecord, part: str) -> str:
    """A party in a word: the principal by its code."""
    return record.who.principal if part == "principal" else say.find(f"role.{part}") or part


def _what(say: Words, record: ExchangeRecord, special: Collection[str]) -> Answer:
    what, way = record.what, told_as(record)
    if not what.rows_in and record.decision not in ACCEPTED_DECISIONS:
        line = say.told(way, "count.unread") if record.decision is Decision.REFUSED else say.say("six.uncounted")
        return _answer(say, "what", _capital(say.told(way, "file.unread")), line, record.reason_code or what.key, True)
    rows = what.rows_accepted if is_made(record) else what.rows_in
    bold = say.count("six.rows", rows, rows=say.number(rows))
    if what.distinct_subjects is not None:
        bold += f", {persons(say, what.distinct_subjects)}"
    columns = len(what.columns)
    line = _joined(
        [
            say.count("six.columns", columns, columns=say.number(columns)) if columns else None,
            what.format.upper() if what.format else None,
            _size(say, what.size_bytes),
            _special(say, record, special),
        ]
    )
    return _answer(say, "what", bold, line, f"sha256 {shortened(what.sha256)}" if what.sha256 else what.key, True)


def _size(say: Words, count: int) -> str:
    return say.size(count) if count >= 1000 else say.count("file.bytes", count, bytes=say.number(count))


def persons(say: Words, count: int) -> str:
    """How many different persons an exchange is about."""
    return say.count("six.persons", count, persons=say.number(count))


def shortened(digits: str) -> str:
    """Both ends of a hash in hex."""
    return f"{digits[:HASH_ENDS]}…{digits[-HASH_ENDS:]}" if len(digits) > 2 * HASH_ENDS else digits


def _special(say: Words, record: ExchangeRecord, special: Collection[str]) -> str:
    if not record.what.special_categories:
        return say.say("six.special.none")
    return say.say("six.special", which=which_special(say, record, special))


def _how_long(say: Words, record: ExchangeRecord, gone: Mapping[str, datetime]) -> Answer:
    copies = record.how_long.copies
    proof = contract_end(say, record) or say.say("six.no_end")
    if not copies:
        return _answer(say, "how_long", say.say("six.no_copy"), say.say("keep.no_copies"), proof)
    left = [copy for copy in copies if copy.kind not in gone]
    removed, open_ended = len(copies) - len(left), sum(not copy.delete_after for copy in left)
    last = max((copy for copy in left if copy.delete_after), key=lambda copy: str(copy.delete_after), default=None)
    if not left:
        bold = say.say("six.removed", day=say.day(brussels_day(max(gone.values())).isoformat()))
    elif last is None or not last.delete_after:
        bold = say.say("six.no_day")
    else:
        bold = say.say("six.until", day=say.day(last.delete_after))
    rule = last.retention_rule if last else None
    line = _joined(
        [
            say.count("six.copies", len(copies), copies=say.number(len(copies))),
            say.say("six.rule", rule=say.find(f"rule.{rule}") or rule) if rule else None,
            say.count("six.copies.open", open_ended, copies=say.number(open_ended)) if open_ended else None,
            say.count("six.copies.removed", removed, copies=say.number(removed)) if removed else None,
        ]
    )
    return _answer(say, "how_long", bold, line, proof)


def _who(say: Words, record: ExchangeRecord) -> Answer:
    who = record.who
    sender, to = _named(say, record, who.sender), say.listed(_named(say, record, name) for name in who.recipients)
    first = sender if who.sender == who.principal else _capital(sender)
    bold = first if to in ("", sender) else f"{first} → {to}"
    if is_made(record) and record.decision not in ACCEPTED_DECISIONS:
        bold = say.say("six.nobody", recipients=to)
    others = ", ".join(who.sub_processors) or say.say("word.none")
    facts = {"countries": ", ".join(who.countries), "sub_processors": others}
    colon = say.say("pages.colon")
    proof = _joined(f"{say.say(f'who.{name}')}{colon} {said}" for name, said in facts.items() if said)
    return _answer(say, "who", bold, _roles(say, record), proof)


def _roles(say: Words, record: ExchangeRecord) -> str:
    """Who decides and who works on instruction, over all groups of fields; whether that differs between groups."""
    roles = record.who.roles
    if not roles:
        return say.say("who.none")
    controllers = _parties(say, record, (role.controller for role in roles))
    processors = _parties(say, record, (role.processor for role in roles))
    line = say.say("six.roles", controllers=controllers, processors=processors)
    differ = len({(role.controller, role.processor) for role in roles}) > 1
    return _joined([line, say.say("six.roles.differ") if differ else None])


def parts_played(say: Words, record: ExchangeRecord) -> tuple[Roles, ...]:
    """Which groups of fields have which controller and processor, in the order of the record."""
    by_pair: dict[tuple[str, str], list[str]] = {}
    for role in record.who.roles:
        group = say.find(f"group.{role.field_group}") or role.field_group
        by_pair.setdefault((role.controller, role.processor), []).append(group)
    return tuple(
        Roles(
            say.listed(groups),
            _parties(say, record, [controller]),
            _parties(say, record, [processor]),
            record.direction is Direction.OUTBOUND_RETURN and (controller, processor) == ("center", "principal"),
        )
        for (controller, processor), groups in by_pair.items()
    )


def _how(say: Words, record: ExchangeRecord) -> Answer:
    how, rules = record.how, sum(record.how.gate_counts.values())
    bold = say.say("six.contract", version=how.contract_version) if how.contract_id else say.say("six.no_contract")
    line = rule_counts(say, record) or say.say("six.no_rules")
    checked = say.count("six.rules", rules, rules=say.number(rules)) if rules else None
    encoding, delimiter = dialect_found(say, record)
    cut = say.say("six.delimiter", delimiter=delimiter) if delimiter else None
    proof = _joined([encoding, cut, _run(say, record)])
    return _answer(say, "how", _joined([bold, checked]), line, proof)


def dialect_found(say: Words, record: ExchangeRecord) -> tuple[str | None, str | None]:
    """Encoding and delimiter as they were found in the file, or as it was written; None for what it has not."""
    found = record.how.dialect
    encoding, delimiter = found.get("encoding"), found.get("delimiter")
    mark = " BOM" if found.get("bom") else ""
    word = say.find(f"delimiter.{DELIMITERS[delimiter]}") if delimiter in DELIMITERS else delimiter
    return f"{encoding.upper()}{mark}" if encoding else None, word


def _run(say: Words, record: ExchangeRecord) -> str:
    run = record.how.airflow
    if "dag_id" not in run:
        return say.say("six.by_command")
    again = run.get("try_number")
    return _joined([f"DAG {run['dag_id']}", say.say("six.try", number=again) if again else None])


def _right_treatment(say: Words, record: ExchangeRecord) -> Answer:
    treatment, count = record.right_treatment, held_rows(record)
    bold = say.count("six.held", count, rows=say.number(count)) if count else say.say("six.held.none")
    held = sorted(((n, reason) for reason, n in treatment.held_back.items() if n), key=lambda item: (-item[0], item[1]))
    lines = [f"{held_word(say, reason)}{say.say('pages.colon')} {say.number(n)}" for n, reason in held]
    more, cells = len(lines) - REASONS_SHOWN, sum(treatment.withheld.values())
    shown = [
        *lines[:REASONS_SHOWN],
        say.count("six.reasons.more", more, more=say.number(more)) if more > 0 else None,
        say.count("six.cells", cells, cells=say.number(cells)) if cells else None,
    ]
    line = _joined(shown) or say.say("six.held.nobody" if record.decision in ACCEPTED_DECISIONS else "six.held.unused")
    touched = {"cases": len(treatment.cases), "notices": len(treatment.notices)}
    proof = say.say("six.touched", **{name: say.number(number) for name, number in touched.items()})
    return _answer(say, "right_treatment", bold, line, proof)
