"""Registers of processing activities over HTTP (GDPR Art. 30), for programs; `sluice register export` writes files."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from sluice.registers.model import Article
from sluice.settings import get_settings
from sluice.times import brussels_day
from sluice.web.access import Auditor
from sluice.web.asked import known_when
from sluice.web.model import Language
from sluice.web.problem import problems
from sluice.web.read_model import Day, Instant, RegisterShown
from sluice.web.reading import reading

router = APIRouter(prefix="/registers", tags=["registers"])


@router.get("/{article}", response_model=RegisterShown, response_model_exclude_unset=True, responses=problems(404))
def show(
    article: Article,
    auditor: Auditor,
    at: Annotated[Day | None, Query(description="A Brussels date; today by default.")] = None,
    known_at: Annotated[
        Instant | None, Query(description="As everything was known at this moment; by default at the end of the day.")
    ] = None,
    lang: Language = "en",
) -> dict[str, Any]:
    """Show a register as of a date: 30.1, the center is controller; 30.2, it is processor."""
    from sluice.registers.make import make_register
    from sluice.registers.write import document_of

    now, settings = datetime.now(UTC), get_settings()
    on = at or brussels_day(now)
    with reading() as conn:
        return document_of(make_register(conn, settings, article, on, known_when(known_at, now, on)), lang)
