"""S-23: what connects to anything stands in a table, and from tests nothing connects to another machine."""

import ast
import re
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest
from pytest_socket import SocketConnectBlockedError

from house.code_rules import imported, whole_name

CHECKOUT = Path(__file__).parents[2]
PAGE = CHECKOUT / "docs" / "operations.md"
CODE = ("include/sluice", "dags", "plugins", "config")
OPENS = {
    "socket": ("socket", "create_connection", "create_server"),
    "http.client": ("HTTPConnection", "HTTPSConnection"),
    "urllib.request": ("urlopen", "build_opener", "urlretrieve"),
    "asyncio": ("open_connection", "start_server", "create_connection"),
    "smtplib": ("SMTP", "SMTP_SSL"),
    "psycopg": ("connect", "Connection", "AsyncConnection"),
    "boto3": ("client", "resource", "Session"),
    "botocore.session": ("Session", "get_session"),
    "pyarrow.fs": ("S3FileSystem", "GcsFileSystem", "HadoopFileSystem"),
    "sqlalchemy": ("create_engine",),
    "celery": ("Celery",),
    **dict.fromkeys(
        ("requests", "httpx", "aiohttp", "urllib3", "ftplib", "redis", "paramiko", "websockets", "psycopg_pool"), ("*",)
    ),
}
"""What opens a connection, by the module that it is of; ``*``: whatever it is asked."""
ROOMS = {name.partition(".")[0] for name in OPENS} | {"polars", "pandas"}


def openers(source: str) -> set[str]:
    """Doors through which some code opens connections, by their whole names."""
    tree = ast.parse(source)
    names = imported(tree)
    rooms = {name.partition(".")[0] for name in (*names.values(), *modules(tree))}
    dotted = {whole_name(node, names) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    named = {*names.values(), *modules(tree), *(name for name in dotted if name.partition(".")[0] in rooms)}
    by_name = {
        name for name in named for room, doors in OPENS.items() if name.startswith(room) and is_door(name, doors)
    }
    return by_name | {name for node in ast.walk(tree) if (name := reads_an_address(node, names))}


def is_door(name: str, doors: tuple[str, ...]) -> bool:
    return "*" in doors or name.rpartition(".")[2] in doors


def reads_an_address(node: ast.AST, names: Mapping[str, str]) -> str:
    """The name of a reader of polars or pandas that is given an address; empty for anything else."""
    if not isinstance(node, ast.Call) or whole_name(node.func, names).partition(".")[0] not in ("polars", "pandas"):
        return ""
    given = (each.value for each in node.args if isinstance(each, ast.Constant))
    is_address = any(isinstance(each, str) and re.match(r"[a-z0-9]+://", each) for each in given)
    return whole_name(node.func, names) if is_address else ""


def modules(tree: ast.AST) -> set[str]:
    """What ``import x`` names; ``from x import y`` is in :func:`imported`."""
    return {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}


def connecting() -> set[str]:
    """Files of the product that open a connection."""
    found = set()
    for room in CODE:
        for path in (CHECKOUT / room).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if any(room in text for room in ROOMS) and openers(text):
                found.add(path.relative_to(CHECKOUT).as_posix().removeprefix("include/sluice/"))
    return found


def test_whatever_connects_stands_in_the_table_of_the_operations_page() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## What it connects to")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^\| `([a-z0-9_/]+[.]py)` \|", section, re.MULTILINE))

    assert connecting() == listed


@pytest.mark.parametrize(
    "source",
    [
        "import socket\nsocket.create_connection(('x', 1))",
        "from urllib.request import urlopen\nurlopen('http://x')",
        "import requests",
        "def f():\n    from httpx import get\n    get('http://x')",
        "import boto3\nboto3.client('s3')",
        "import http.client as h\nh.HTTPConnection('x')",
        "import urllib.request as u\nu.urlretrieve('http://x')",
        "from urllib import request as r\nr.urlopen('http://x')",
        "import asyncio\nasyncio.open_connection('x', 1)",
        "import botocore.session\nbotocore.session.Session()",
        "from pyarrow.fs import S3FileSystem as fs",
        "import polars as pl\npl.read_parquet('https://x/y')",
        "from psycopg_pool import ConnectionPool",
    ],
)
def test_an_opened_connection_is_found_in_code(source: str) -> None:
    """The control."""
    assert openers(source)


def test_a_connection_to_another_machine_fails_in_tests() -> None:
    """The control of every other test: pytest-socket stands between them and the network (RFC 5737 address)."""
    with pytest.warns(UserWarning, match="192.0.2.1"), pytest.raises(SocketConnectBlockedError):
        socket.create_connection(("192.0.2.1", 443), 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
