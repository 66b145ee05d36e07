"""What forms and addresses of several pages ask for in the same way."""

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import Depends, Query
from pydantic import BeforeValidator

from sluice.documents.words import BRUSSELS

Unless = BeforeValidator(lambda said: said or None)
"""A form sends an empty word for what is not narrowed."""


def _moment(
    as_of: Annotated[
        datetime | None, Unless, Query(description="ISO 8601; on the clock of Brussels if no zone; now by default.")
    ] = None,
) -> datetime:
    if as_of is None:
        return datetime.now(UTC)
    return as_of if as_of.tzinfo else as_of.replace(tzinfo=BRUSSELS)


AsOf = Annotated[datetime, Depends(_moment)]
"""The moment of ``?as_of=``, now without."""
Zoom = Annotated[int, Query(ge=50, le=200, multiple_of=25)]
"""Of a picture, in percent."""


def today() -> date:
    """The date in Brussels."""
    return datetime.now(BRUSSELS).date()
