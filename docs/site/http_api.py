"""The page of the HTTP API, from its OpenAPI document, asked of a process of its own: Airflow logs and warns."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HEAD = """# HTTP API

Made from the OpenAPI document by each build of this site; a running installation gives it at
`/sluice/api/v1/openapi.json`, behind its login. Who may do what: [permissions](permissions.md). How to log in and ask:
[read over HTTP](../how-to/read-over-http.md), [open a case](../how-to/open-a-case-over-http.md).
"""
ASK = "import json, sys; from sluice.web.api import _document, make_api; json.dump(_document(make_api()), sys.stdout)"


def page(root: Path) -> str:
    """Markdown."""
    document = _document(root)
    parts = [HEAD, document["info"]["description"], ""]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts += _operation(f"{method.upper()} {path}", operation)
    parts += ["\n## Shapes\n"]
    for name, schema in sorted(document["components"]["schemas"].items()):
        parts += _shape(name, schema)
    return "\n".join(parts) + "\n"


def _document(root: Path) -> dict[str, Any]:
    env = {**os.environ, "AIRFLOW_HOME": str(root), "PYTHONPATH": str(root / "include")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASK], env=env, cwd=root, capture_output=True, text=True, check=True
    )
    loaded: dict[str, Any] = json.loads(done.stdout[done.stdout.index('{"openapi"') :])
    return loaded


def _operation(title: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"\n## {title}\n\n{operation['description']}\n"
    if parameters := operation.get("parameters"):
        yield "| parameter | in | must | what |\n|---|---|---|---|"
        for each in parameters:
            must = "yes" if each["required"] else ""
            yield f"| `{each['name']}` | {each['in']} | {must} | {_cell(each.get('description', ''))} |"
        yield ""
    if body := operation.get("requestBody"):
        yield f"Body: {_type(body['content']['application/json']['schema'])}.\n"
    yield "| answer | what | shape |\n|---|---|---|"
    for status, answer in sorted(operation["responses"].items()):
        kinds = ", ".join(f"{kind}: {_type(said['schema'])}" for kind, said in answer.get("content", {}).items())
        yield f"| {status} | {_cell(answer['description'])} | {kinds} |"


def _shape(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"\n### {name}\n\n{schema.get('description', '')}\n"
    if words := schema.get("enum"):
        yield ", ".join(f"`{word}`" for word in words) + ".\n"
    if fields := schema.get("properties"):
        must = schema.get("required", [])
        yield "| field | type | must | what |\n|---|---|---|---|"
        for field, said in fields.items():
            told = _cell(said.get("description", ""))
            yield f"| `{field}` | {_type(said)} | {'yes' if field in must else ''} | {told} |"
    for example in schema.get("examples", ())[:1]:
        yield f"\n```json\n{json.dumps(example, indent=2, ensure_ascii=False)}\n```\n"


def _type(schema: dict[str, Any]) -> str:
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if choices := schema.get("anyOf") or schema.get("allOf"):
        return " or ".join(_type(each) for each in choices)
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if isinstance(more := schema.get("additionalProperties"), dict):
        return f"mapping to {_type(more)}"
    return str(schema.get("format") or schema.get("type") or "any")


def _cell(text: str) -> str:
    return text.replace("|", "&#124;").replace("\n", " ")
