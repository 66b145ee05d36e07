"""What somebody outside relies on, as data: from the code where it is declared, or from what an installation made."""

import json
import re
from base64 import urlsafe_b64decode
from collections import defaultdict
from collections.abc import Iterator, Mapping
from enum import Enum
from importlib.resources import files
from typing import Any, get_args

from typer.main import get_command

from sluice.agreement.codes import CODES
from sluice.cli.reference import all_reason_codes, error_classes
from sluice.cli.whole import app
from sluice.errors import Exit
from sluice.ledger.model import EntryKind
from sluice.results.mapping_codes import MAPPING_CODES
from sluice.results.model import CANONICAL_COLUMNS
from sluice.settings import Settings
from sluice.staff.rows import COLUMNS as STAFF_COLUMNS

Surface = Mapping[str, Any]
ADDRESS = re.compile(r" at 0x[0-9a-f]+")
"""Where something lies in memory, another place each time."""


def commands() -> Surface:
    """Every command with its words: arguments by name, options as they are written; ``!`` where one must be given."""
    return dict(_commands("sluice", get_command(app)))


def _commands(words: str, command: Any) -> Iterator[tuple[str, list[str]]]:
    if hasattr(command, "commands"):
        for name, one in sorted(command.commands.items()):
            yield from _commands(f"{words} {name}", one)
    else:
        yield words, sorted(map(_parameter, command.params))


def _parameter(parameter: Any) -> str:
    is_option = any(each.startswith("-") for each in parameter.opts)
    name = ", ".join([*parameter.opts, *parameter.secondary_opts]) if is_option else parameter.name.upper()
    must = "!" if parameter.required else ""
    many = "*" if getattr(parameter, "multiple", False) or parameter.nargs != 1 else ""
    kind = parameter.type_descriptor.annotation
    words = [each.value for each in kind] if isinstance(kind, type) and issubclass(kind, Enum) else [_name(kind)]
    return f"{name}{must}{many} {'|'.join(words)}"


def _name(kind: Any) -> str:
    return ADDRESS.sub("", str(kind if get_args(kind) else getattr(kind, "__name__", kind)))


def codes() -> Surface:
    """Exit codes, errors with theirs, reason codes of files and rows, codes of the linters."""
    return {
        "exit": {each.name: int(each) for each in Exit},
        "errors": {f"{each.code} {each.__name__}": int(each.exit) for each in error_classes()},
        "reasons": sorted(all_reason_codes()),
        "linters": sorted(code.code for code in (*CODES.values(), *MAPPING_CODES.values())),
    }


def settings() -> Surface:
    """Every setting with its type and its default where that is no folder of a machine."""
    shown = {}
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=False)
        told = repr(default) if isinstance(default, str | int | float | None) else ""
        shown[f"SLUICE_{name.upper()}"] = f"{_name(field.annotation)} {told}".strip()
    return shown


def columns() -> Surface:
    """Columns of the files that people hand in or are given."""
    registers = (files("sluice.registers") / "facts" / "art30-columns.csv").read_text("utf-8").splitlines()
    staff = {kind.value: [*each.required, "(", *each.optional, ")"] for kind, each in STAFF_COLUMNS.items()}
    return {"registers": registers, "staff": staff, "results": list(CANONICAL_COLUMNS)}


def addresses(apps: Mapping[str, Any]) -> Surface:
    """Methods by address of every app that is mounted in Airflow."""
    found = defaultdict[str, set[str]](set)
    for mount, mounted in apps.items():
        for route in mounted.routes:
            found[f"{mount}{route.path}"] |= set(getattr(route, "methods", None) or {"MOUNT"})
    return {address: sorted(methods) for address, methods in sorted(found.items())}


def dags(bag: Any) -> Surface:
    """Ids, parameters and tasks of every DAG."""
    return {
        dag.dag_id: {"params": sorted(dag.params), "tasks": sorted(dag.task_ids), "is_scheduled": bool(dag.schedule)}
        for dag in sorted(bag.dags.values(), key=lambda each: each.dag_id)
    }


def tables(conn: Any) -> Surface:
    """Columns of every table of the database."""
    rows = conn.execute(
        """select table_schema || '.' || table_name as name, column_name || ' ' || data_type as field
           from information_schema.columns
           where table_schema in ('sluice', 'ledger') and table_name != 'alembic_version'
           order by 1, 2"""
    ).fetchall()
    found = defaultdict[str, list[str]](list)
    for row in rows:
        found[row["name"]].append(row["field"])
    return found


def entry_kinds() -> list[str]:
    """The kinds of ledger entries."""
    return sorted(kind.value for kind in EntryKind)


def without_prose(document: Any, below: str = "") -> Any:
    """An OpenAPI document without what only people read, and without examples."""
    if isinstance(document, list):
        return [without_prose(each) for each in document]
    if not isinstance(document, dict):
        return document
    kept = document if below == "properties" else {name: document[name] for name in document.keys() - PROSE}
    return {name: without_prose(each, name) for name, each in kept.items()}


PROSE = {"description", "title", "summary", "examples", "example"}


def shape(document: Any, path: str = "") -> set[str]:
    """The paths of a JSON document, in what is signed those of its payload; ``[]``: of each item of a list."""
    if isinstance(document, dict) and document.keys() == {"payload", "protected", "signature"}:
        payload = document["payload"]
        document = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if isinstance(document, dict):
        return set().union(*(shape(each, f"{path}.{name}".lstrip(".")) for name, each in document.items()))
    if isinstance(document, list):
        return set().union(*(shape(each, f"{path}[]") for each in document)) or {f"{path}[]"}
    return {path}


def pretty(surface: object) -> str:
    return json.dumps(surface, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
