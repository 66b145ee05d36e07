"""Answers pip-audit from a local copy of advisories, where the network has none: ``make audit COPY=FOLDER``.

``python -m house.osv_copy FOLDER COMMAND...`` runs the command with ``--osv-url`` of a server on 127.0.0.1. The folder
has advisories in OSV's format (https://ossf.github.io/osv-schema/), one a file, YAML or JSON: a checkout of
github.com/pypa/advisory-database, or what https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip holds.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

Advisory = Mapping[str, Any]
Advisories = Mapping[str, Sequence[Advisory]]
"""Name of a distribution -> what was ever said about it."""


def read_copy(folder: Path) -> dict[str, list[Advisory]]:
    """Every advisory about a package of PyPI below a folder."""
    found: dict[str, list[Advisory]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".yaml", ".json"} and path.is_file():
            text = path.read_text(encoding="utf-8")
            advisory = json.loads(text) if path.suffix == ".json" else yaml.load(text, Loader=yaml.CBaseLoader)
            for name in {_name(part) for part in advisory.get("affected", ()) if _name(part)}:
                found.setdefault(name, []).append(advisory)
    return found


def about(advisories: Advisories, name: str, version: str) -> list[Advisory]:
    """The advisories that affect this version."""
    wanted = canonicalize_name(name)
    return [
        advisory
        for advisory in advisories.get(wanted, ())
        if any(_affects(part, version) for part in advisory["affected"] if _name(part) == wanted)
    ]


def _name(part: Mapping[str, Any]) -> str:
    package = part.get("package", {})
    return canonicalize_name(package["name"]) if package.get("ecosystem") == "PyPI" else ""


def _affects(part: Mapping[str, Any], version: str) -> bool:
    ranges = [each["events"] for each in part.get("ranges", ()) if each["type"] == "ECOSYSTEM"]
    return version in part.get("versions", ()) or any(_within(events, Version(version)) for events in ranges)


def _within(events: Sequence[Mapping[str, str]], version: Version) -> bool:
    """Whether a version lies in a range, by its events in their order."""
    inside = False
    steps = sorted((_version(text), kind) for event in events for kind, text in event.items() if kind != "limit")
    for at, kind in steps:
        if kind == "introduced" and version >= at:
            inside = True
        elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            inside = False
    return inside


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")  # a version of before PEP 440: older than all that is installed


@contextmanager
def answering(advisories: Advisories) -> Iterator[str]:
    """The URL of a server that answers as https://api.osv.dev/v1/query does."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = about(advisories, asked["package"]["name"], asked["version"])
            body = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


def main(folder: str, *command: str) -> int:
    advisories = read_copy(Path(folder))
    total = {advisory["id"] for each in advisories.values() for advisory in each}
    newest = max((str(each.get("modified", "")) for some in advisories.values() for each in some), default="")
    print(f"{len(total)} advisories about {len(advisories)} packages, the newest of {newest[:10] or 'no day'}")
    if not total:
        return 1
    with answering(advisories) as url:
        return subprocess.run([*command, "--vulnerability-service", "osv", "--osv-url", url], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
