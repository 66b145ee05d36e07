"""Portability (GDPR Art. 20): what may be taken along, in forms that other programs read, with a reason for the rest.

A column goes when its basis, origin and mode allow it and no paper restricts it; the values are those of accepted rows
and of returns. Dates are ISO 8601, numbers have a decimal point; a column that would lose something by that stays text.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from sluice import media_types
from sluice.agreement.contract.eligibility import NotPortable, traits_of, why_not
from sluice.agreement.model import FieldRole
from sluice.answers.access import as_json
from sluice.answers.facts import Facts
from sluice.answers.files import CSV, JSON, SUMS, Drafting
from sluice.answers.labels import label_of
from sluice.answers.model import NOT_HERE, FieldLine, Found
from sluice.answers.page import make_answer_page
from sluice.answers.select import COMPANY, DATASET, EXCHANGE, META, Selected
from sluice.documents.pdf import make_pdf
from sluice.documents.words import LANGUAGES, words
from sluice.errors import Ref, UsageError
from sluice.lake.write.values import has_zone, moments, typed
from sluice.ledger.copy_kinds import DELIVERED, LAKE, RETURN
from sluice.rights.case.reasons import NOT_REQUIRED, THIRD_PARTY
from sluice.times import utc_text

ACCEPTED = frozenset({LAKE, RETURN, DELIVERED})
"""Kinds of copies whose values are taken along."""
FORMS = frozenset({"csv", "json", "xlsx", "pdf"})
PORTABLE_FORMS = frozenset({"csv", "json", "xlsx"})
PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
FRICTIONLESS = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "datetime",
}
ISO_DATE, ISO_MOMENT = "%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"
DESCRIPTOR, DATA = "datapackage.json", "data/"
READ_ME = {"nl": "LEESMIJ.txt", "fr": "LISEZ-MOI.txt", "en": "README.txt"}
MEDIA = {
    "csv": media_types.CSV,
    "json": media_types.JSON,
    "xlsx": media_types.XLSX,
    "pdf": media_types.PDF,
    "txt": media_types.TEXT,
}


def check_forms(forms: Sequence[str]) -> None:
    """Check the forms asked for. A PDF is a copy to read: it always comes along, never alone. Raises UsageError."""
    if not set(forms) <= FORMS or not set(forms) & PORTABLE_FORMS:
        raise UsageError(Ref("option", "--to"), Ref("at least one of", "csv, json, xlsx"), Ref("besides", "pdf"))


def accepted_only(found: Found) -> Found:
    """Keep only accepted rows and returns: what lies elsewhere is the same data, or was refused.

    What was searched is still listed.
    """
    unasked = tuple((copy, count) for copy, count in found.unasked if copy.kind in ACCEPTED)
    return replace(found, held=tuple(held for held in found.held if held.copy.kind in ACCEPTED), unasked=unasked)


def only_portable(selected: Selected) -> Selected:
    """Keep the columns that may be taken along, with a reason for every other one. Rows lose where they are kept."""
    tables = {}
    for group, table in selected.tables.items():
        kept = _without(table, selected)
        if kept.width and kept.height:
            tables[group] = kept
    lines = tuple(_judged(line, selected.role_of(line)) for line in selected.fields)
    return replace(selected, tables=tables, fields=tuple(dict.fromkeys(lines)))


def _judged(line: FieldLine, role: FieldRole | None) -> FieldLine:
    """Apply the rule of Art. 20 to a column, also to an empty one.

    A column that was not decided to be given keeps its reason.
    """
    if not line.included and line.reason != NOT_HERE:
        return line
    reason = why_not(traits_of(role)) if role else NotPortable.BASIS
    if reason is None:
        return line
    return replace(line, included=False, reason=reason.value, iri=iri_of(reason))


def iri_of(reason: NotPortable) -> str:
    """Return the justification of the Data Privacy Vocabulary for a field that is left out."""
    return THIRD_PARTY if reason is NotPortable.RESTRICTED else NOT_REQUIRED


def _without(table: pl.DataFrame, selected: Selected) -> pl.DataFrame:
    """Keep eligible cells only, exchange by exchange.

    A person may take a column along under one contract or in one dataset, and not in another.
    """
    parts: list[pl.DataFrame] = []
    for (dataset, exchange), rows in table.partition_by(DATASET, EXCHANGE, as_dict=True, maintain_order=True).items():
        version = selected.versions.get((str(exchange), str(dataset)), "")
        fields = {name: selected.role(str(dataset), version, name) for name in rows.columns if name not in META}
        going = {name: role for name, role in fields.items() if role is not None and why_not(traits_of(role)) is None}
        cells = rows.select(rows[COMPANY], *(_plain(rows[name], role) for name, role in going.items()))
        if going:
            parts.append(cells.filter(~pl.all_horizontal(pl.exclude(COMPANY).is_null())))
    if not parts:
        return pl.DataFrame()
    whole = pl.concat(parts, how="diagonal").unique(maintain_order=True)
    there = [name for name in whole.columns if name != COMPANY and whole[name].null_count() < whole.height]
    return whole.select(COMPANY, *there) if there else pl.DataFrame()


def _plain(cells: pl.Series, role: FieldRole) -> pl.Series:
    """Write dates and moments as ISO 8601, numbers with a decimal point, where that says exactly the same."""
    if role.logical_type in ("date", "timestamp") and role.date_format:
        values = moments(cells, role.date_format, role.logical_type)
        if values.null_count() == cells.null_count():
            return values.dt.strftime(ISO_DATE) if role.logical_type == "date" else _moments(values, role.date_format)
    if role.logical_type == "number":
        return cells.str.replace(r"^(-?[0-9]+),([0-9]+)$", "$1.$2")
    return cells


def _moments(values: pl.Series, form: str) -> pl.Series:
    """Write moments, with a zone only if the file had one, and with fractions of a second where a value has one."""
    zone = "Z" if has_zone(form) else ""
    plain, exact = (values.dt.strftime(f"{ISO_MOMENT.removesuffix('Z')}{part}{zone}") for part in ("", "%.6f"))
    return plain.zip_with((values.dt.microsecond() == 0).fill_null(True), exact)


def types_of(table: pl.DataFrame, roles: Collection[FieldRole]) -> dict[str, str]:
    """Return the ODCS type of every column whose values survive it; the others are text.

    ``roles``: of every data set and version. A column that is a number in one of them and a text in another is text: a
    code 12.50 would become 12.5.
    """
    kinds = {name: {role.logical_type for role in roles if role.name == name} for name in table.columns}
    said = {name: next(iter(every)) for name, every in kinds.items() if len(every) == 1}
    wanted = {name: kind for name, kind in said.items() if kind in ("integer", "number", "boolean")}
    _, lost = typed(table, _complete(table, wanted), JSON, with_moments=False)
    found = {name: kind for name, kind in wanted.items() if name not in lost}
    for name, kind in said.items():
        if kind in ("date", "timestamp") and _is_iso(table[name], kind):
            found[name] = kind
    return found


def _complete(table: pl.DataFrame, types: Mapping[str, str]) -> Mapping[str, str]:
    return {name: kind for name, kind in types.items() if table[name].null_count() < table.height}


def _is_iso(cells: pl.Series, kind: str) -> bool:
    """Whether every value is a date, or a moment in UTC, as the descriptor's type reads it."""
    form = ISO_DATE if kind == "date" else ISO_MOMENT
    return moments(cells, form, kind).null_count() == cells.null_count() < len(cells)


def write_portability(draft: Drafting, facts: Facts, forms: Sequence[str], *, with_letter: bool = True) -> None:
    """Write every file of the package but the list of hashes; the descriptor names all the others.

    ``with_letter``: for the person; a controller gets the data only.
    """
    tables, roles = written_of(facts), (facts.selected.judged or facts.selected.roles).values()
    types = {group: types_of(table, roles) for group, table in tables.items()}
    neutralised: dict[str, Mapping[str, int]] = {}
    for group, table in tables.items():
        if "csv" in forms:
            neutralised[group] = draft.table(f"data/{group}.csv", table, CSV).neutralised
        if "json" in forms:
            draft.table(f"data/{group}.json", table, JSON, types[group])
    eligibility, dictionary = eligibility_of(facts), dictionary_of(facts, types)
    if "xlsx" in forms:
        sheets = [(group, table, types[group]) for group, table in tables.items()]
        title = words(facts.language).say("answer.portability.title")
        draft.workbook("portability.xlsx", sheets, title)
    draft.table("eligibility.csv", eligibility, CSV)
    draft.table("dictionary.csv", dictionary, CSV)
    if with_letter:
        draft.bytes("portability.pdf", make_pdf(make_answer_page(facts), facts.made_at))
    draft.bytes(READ_ME[facts.language], _read_me(draft, facts.language).encode())
    draft.bytes(DESCRIPTOR, as_json(descriptor(draft, facts, types, neutralised)))


def _read_me(draft: Drafting, language: str) -> str:
    """Explain each file of the package, including descriptor and hashes, which are written after this text."""
    paths = {line.path for line in draft.lines()} | {DESCRIPTOR, SUMS}
    data = sorted({path.rpartition(".")[2] for path in paths if path.startswith(DATA)})
    there = paths | ({DATA} if data else set())
    lines = words(language).say("answer.readme", forms=", ".join(data)).split("\n")
    return "\n".join(line for line in lines if not _file_of(line) or _file_of(line) in there)


def _file_of(line: str) -> str:
    """Return the file that a line is about: what comes before two spaces; empty for a sentence."""
    name, gap, _ = line.partition("  ")
    return name if gap else ""


def written_of(facts: Facts) -> dict[str, pl.DataFrame]:
    """Return the tables as they are written: the company of each row is in them only if there are several."""
    tables = facts.selected.tables
    if len(facts.companies) > 1:
        return dict(tables)
    return {group: table.drop(COMPANY) for group, table in tables.items()}


def eligibility_of(facts: Facts) -> pl.DataFrame:
    """List every column: in or out, and why. ``reasonCode`` is ours, ``justification`` its IRI."""
    rows = [
        {
            "field": line.name,
            "fieldGroup": line.group,
            "dataset": line.dataset,
            "contractVersion": line.version,
            "controller": facts.controller_of(line),
            "included": "true" if line.included else "false",
            "reasonCode": line.reason,
            "justification": line.iri,
            **_traits(facts.selected.role_of(line)),
        }
        for line in facts.selected.fields
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String))


def _traits(role: FieldRole | None) -> dict[str, str | None]:
    return {
        "legalBasis": role.legal_basis if role else None,
        "dataOrigin": role.origin.value if role else None,
        "automated": str(role.automated).lower() if role else None,
    }


def dictionary_of(facts: Facts, types: Mapping[str, Mapping[str, str]]) -> pl.DataFrame:
    """List what every column of the package means, in three languages."""
    rows: list[dict[str, str | None]] = []
    for group, table in written_of(facts).items():
        for name in table.columns:
            if name == COMPANY:
                continue
            role, controllers = _explained(facts, group, name)
            labels = {f"label_{word}": label_of(words(word), name, role) for word in LANGUAGES}
            rows.append(
                {
                    "field": name,
                    "fieldGroup": group,
                    **labels,
                    "type": FRICTIONLESS[types[group].get(name, "string")],
                    "dataOrigin": role.origin.value,
                    "legalBasis": role.legal_basis,
                    "controller": controllers,
                }
            )
    return pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String))


def _explained(facts: Facts, group: str, name: str) -> tuple[FieldRole, str]:
    """Return the role of a column that goes, and all who decide on it: a column can have several controllers."""
    lines = [each for each in facts.selected.fields if each.included and (each.name, each.group) == (name, group)]
    role = facts.selected.role_of(lines[-1])
    assert role is not None  # a column without a role never goes
    return role, "; ".join(dict.fromkeys(facts.controller_of(line) for line in lines))


def descriptor(
    draft: Drafting,
    facts: Facts,
    types: Mapping[str, Mapping[str, str]],
    neutralised: Mapping[str, Mapping[str, int]],
) -> dict[str, Any]:
    """Return ``datapackage.json``: Data Package 2.0, every file with its hash, tables with dialect and schema."""
    case = facts.case
    controllers = [{"title": name, "roles": ["controller"]} for name in dict.fromkeys(facts.companies.values())]
    roles = ["controller", "processor"] if facts.center_decides else ["processor"]
    return {
        "$schema": PROFILE,
        "name": f"portability-{case.case_id[:8]}",
        "id": case.case_id,
        "title": words(facts.language).say("answer.portability.title"),
        "version": "1.0.0",
        "created": utc_text(facts.made_at),
        "contributors": [*controllers, {"title": facts.sender.name, "roles": roles}],
        "resources": list(_resources(draft, facts, types, neutralised)),
    }


def _resources(
    draft: Drafting,
    facts: Facts,
    types: Mapping[str, Mapping[str, str]],
    neutralised: Mapping[str, Mapping[str, int]],
) -> Iterator[dict[str, Any]]:
    for line in draft.lines():
        stem, _, form = line.path.rpartition(".")
        group = stem.removeprefix("data/")
        base: dict[str, Any] = {
            "name": f"{stem.replace('/', '-').lower()}-{form}" if form != "csv" else stem.replace("/", "-").lower(),
            "path": line.path,
            "format": form,
            "mediatype": MEDIA[form],
            "bytes": line.size_bytes,
            "hash": f"sha256:{line.sha256}",
        }
        if form in ("csv", "json", "txt"):
            base["encoding"] = "utf-8"
        if form == "xlsx" and draft.cut:
            base["cutCells"] = dict(draft.cut)
        if form == "csv":
            dialect = {
                "delimiter": ",",
                "quoteChar": '"',
                "doubleQuote": True,
                "lineTerminator": "\r\n",
                "header": True,
            }
            base |= {"type": "table", "dialect": dialect, "schema": _schema(draft, facts, line.path, types.get(group))}
            if neutralised.get(group):
                base["neutralisedCells"] = dict(neutralised[group])
        yield base


def _schema(draft: Drafting, facts: Facts, path: str, types: Mapping[str, str] | None) -> dict[str, Any]:
    """Return the fields of a table; those of the person's data with label, origin, basis and controller."""
    if types is None:
        head = draft.path(path).read_text(encoding="utf-8").splitlines()[0].split(",")
        fields = [{"name": name, "type": "boolean" if name in ("included", "automated") else "string"} for name in head]
        return {"fields": fields, "missingValues": [""]}
    group = path.removeprefix("data/").removesuffix(".csv")
    return {
        "fields": [_field(facts, group, name, types) for name in written_of(facts)[group].columns],
        "missingValues": [""],
    }


def _field(facts: Facts, group: str, name: str, types: Mapping[str, str]) -> dict[str, Any]:
    if name == COMPANY:
        return {"name": name, "type": "string"}
    role, controllers = _explained(facts, group, name)
    return {
        "name": name,
        "type": FRICTIONLESS[types.get(name, "string")],
        "title": " / ".join(dict.fromkeys(label_of(words(word), name, role) for word in LANGUAGES)),
        "dataOrigin": role.origin.value,
        "legalBasis": role.legal_basis,
        "controller": controllers,
    }
