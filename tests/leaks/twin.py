"""What the leaky twin does: one function for each of eighteen channels by which a task can betray somebody.

Each writes a text where a careless author would let it get. Run by ``dags/leaky_twin.py`` in a real Airflow.
"""

import json
import logging
import os
import smtplib
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import boto3
import psycopg
import typst
from botocore.config import Config

PLACE = "TWIN_PLACE"
"""The variable that holds a :class:`Place` as JSON."""
TABLE = "public.leaky_twin"
PREFIX = "energy01/receipts/leaky_twin/"
BY_AIRFLOW = ("exception", "xcom", "rendered field", "run conf")
"""Channels that Airflow itself opens, without a function here."""


@dataclass(frozen=True)
class Place:
    """Where the twin runs: addresses, and the text for each channel."""

    var: str
    database: str
    s3: str
    access_key: str
    secret_key: str
    bucket: str
    pages: str
    smtp_port: int
    texts: dict[str, str]

    @classmethod
    def here(cls) -> "Place":
        return cls(**json.loads(os.environ[PLACE]))

    def put(self, name: str, content: bytes, **said: Any) -> None:
        client = boto3.client(
            "s3",
            endpoint_url=self.s3,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="eu-central-1",
            config=Config(s3={"addressing_style": "path"}),
        )
        client.put_object(Bucket=self.bucket, Key=f"{PREFIX}{name}", Body=content, **said)

    def write(self, name: str, text: str) -> None:
        path = Path(self.var, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def conflict(place: Place, text: str) -> None:
    """Insert a row twice, so that the database's own message quotes it."""
    with psycopg.connect(place.database, autocommit=True) as conn:
        conn.execute("create temp table once (who text primary key)")
        for _ in range(2):
            conn.execute("insert into once values (%s)", (text,))


def _table(place: Place, text: str) -> None:
    with psycopg.connect(place.database, autocommit=True) as conn:
        conn.execute(f"create table if not exists {TABLE} (said jsonb)".encode())
        conn.execute(f"insert into {TABLE} values (%s)".encode(), (json.dumps({"who": text}),))


def _log(_: Place, text: str) -> None:
    logging.getLogger("airflow.task").info("calling %s", text)


def _gx(place: Place, text: str) -> None:
    result = {"success": False, "result": {"partial_unexpected_list": [text]}}
    place.write("leaky_twin/gx/validation.json", json.dumps(result))


def _lineage(place: Place, text: str) -> None:
    event = {"eventType": "COMPLETE", "run": {"facets": {"errorMessage": {"message": text}}}}
    place.write("lineage/leaky_twin.ndjson", json.dumps(event))


def _pdf(place: Place, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "page.typ")
        source.write_text("#sys.inputs.who")
        place.put("r.pdf", bytes(typst.compile(source, sys_inputs={"who": text})))


def _url(place: Place, text: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with suppress(urllib.error.HTTPError):
        opener.open(f"{place.pages}/sluice/pages/exchanges?who={urllib.request.quote(text)}", timeout=30).close()


def _temporary(_: Place, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", delete=False, suffix=".leaky_twin") as file:
        file.write(text)


def _mail(place: Place, text: str) -> None:
    mail = EmailMessage()
    mail["From"] = mail["To"] = "desk@center.example"
    mail["Subject"] = "a file was refused"
    mail.set_content(text)
    with smtplib.SMTP("127.0.0.1", place.smtp_port) as server:
        server.send_message(mail)


CHANNELS: dict[str, Callable[[Place, str], object]] = {
    "task log": _log,
    "stdout": lambda _, text: print(text),
    "database table": _table,
    "lineage": _lineage,
    "gx output": _gx,
    "receipt": lambda place, text: place.put("r.json", json.dumps({"payload": text}).encode()),
    "receipt pdf": _pdf,
    "quarantine listing": lambda place, text: place.put("r.findings.csv", f"row,value\n1,{text}\n".encode()),
    "object key": lambda place, text: place.put(f"of {text[:200]}", b"x"),
    "object metadata": lambda place, text: place.put("m", b"x", Metadata={"who": text}),
    "url": _url,
    "metric": lambda place, text: place.write("leaky_twin/metrics.prom", f'rows{{who="{text}"}} 1\n'),
    "temporary file": _temporary,
    "mail": _mail,
}
