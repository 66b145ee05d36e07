"""The registers of processing activities (GDPR Art. 30) as of a day: findings first, then the rows, and as files."""

from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from sluice.media_types import CSV, JSON, PDF, XLSX
from sluice.registers.columns import REGISTER
from sluice.registers.make import make_register, make_registers
from sluice.registers.model import Article, Register
from sluice.registers.tables import FINDINGS, SEEN, Table, tables_of
from sluice.settings import get_settings
from sluice.web.access import Auditor
from sluice.web.errors import NothingThere
from sluice.web.pages.asked import KnownOfDay, On, times
from sluice.web.pages.view import reader_of, render
from sluice.web.reading import reading

router = APIRouter(prefix="/registers")
PARAMETERS = frozenset({"article", "on", "known_at", "form", "tab"})
MEDIA = MappingProxyType(
    {
        "csv": CSV,
        "xlsx": XLSX,
        "pdf": PDF,
        "json": JSON,
    }
)
Form = Literal["csv", "xlsx", "pdf", "json"]
Tab = Literal["register", "seen", "findings", "identification"]


@router.get("")
def overview(request: Request, reader: Auditor, on: On, known_at: KnownOfDay) -> Response:
    """Both registers: how many rows, and where papers and exchanges do not say alike."""
    language = reader_of(request).say.language
    with reading() as conn:
        registers = make_registers(conn, get_settings(), Article, on, known_at)
    return render(
        request,
        "registers.html",
        "registers",
        registers=[(each, _tables(each, language)) for each in registers],
        **times(request, on, known_at, "day"),
    )


@router.get("/{article}")
def show(request: Request, reader: Auditor, article: Article, on: On, known_at: KnownOfDay) -> Response:
    """One register whole."""
    with reading() as conn:
        register = make_register(conn, get_settings(), article, on, known_at)
    return render(
        request,
        "register.html",
        "registers",
        register=register,
        tables=_tables(register, reader_of(request).say.language),
        **times(request, on, known_at, "day"),
    )


@router.get("/{article}/file")
def file(
    request: Request,
    reader: Auditor,
    article: Article,
    on: On,
    known_at: KnownOfDay,
    form: Annotated[Form, Query()],
    tab: Annotated[Tab, Query(description="Of a CSV: which tab; the other forms have them all.")] = "register",
) -> Response:
    """A register as a file in the language of its reader, as the command writes it. Raises NothingThere."""
    from sluice.registers.write import write_register

    language = reader_of(request).say.language
    with reading() as conn:
        register = make_register(conn, get_settings(), article, on, known_at)
    stem = f"register-{article}-{on.isoformat()}"
    ending = f"-{tab}" if form == "csv" and tab != REGISTER else ""
    name = f"{stem}{ending}.{language}.{form}"
    with TemporaryDirectory() as folder:
        lines = write_register(register, Path(folder), (language,), (form,))
        content = next((line.path.read_bytes() for line in lines if line.path.name == name), None)
    if content is None:
        raise NothingThere
    named = f'attachment; filename="{name}"'
    return Response(content, media_type=MEDIA[form], headers={"Content-Disposition": named})


def _tables(register: Register, language: str) -> dict[str, Table]:
    """Return the tables of a register with rows, by name. SEEN, FINDINGS and the register itself are always there."""
    found = {table.name: table for table in tables_of(register, language)}
    assert {REGISTER, SEEN, FINDINGS} <= found.keys()
    return found
