"""The bar on top: the first page of every area that the user may open."""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.core_api.security import USER_INJECTED_BY_TRUSTED_MIDDLEWARE, get_user
from fastapi import Depends, Request

from sluice.errors import told_of
from sluice.web.access import Rule, may_breach, may_read, may_see_exchanges, may_see_registers, may_see_staff

log = logging.getLogger(__name__)
PLACES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "start": may_see_exchanges,
        "exchanges": may_see_exchanges,
        "cases": may_read,
        "lineage": may_see_exchanges,
        "roles": may_see_registers,
        "agreements": may_see_registers,
        "staff": may_see_staff,
        "registers": may_see_registers,
        "breach": may_breach,
    }
)
"""Each place is its own address. Its text is ``pages.<place>``; the rule is that of its page."""


def note_places(request: Request, user: Annotated[BaseUser, Depends(get_user)]) -> None:
    """A dependency of every page that notes what its bar shows. Not async: a rule may ask over a network."""
    request.state.places = _opened_to(user)


def places_of(request: Request) -> tuple[str, ...]:
    """Return the places that the user may open; none if nobody is known to be logged in, or it cannot be found out."""
    noted: tuple[str, ...] | None = getattr(request.state, "places", None)
    user = _trusted(request)
    if noted is not None or user is None:
        return noted or ()
    try:
        return _opened_to(user)
    except Exception as error:  # the auth manager may be what is broken, and this the page of that error
        log.error("%s", told_of(error)[1])
        return ()


def _opened_to(user: BaseUser) -> tuple[str, ...]:
    asked = {rule: rule.allows(user) for rule in dict.fromkeys(PLACES.values())}
    return tuple(place for place, rule in PLACES.items() if asked[rule])


def _trusted(request: Request) -> BaseUser | None:
    """Return the user that Airflow's middleware names, at an address without a page."""
    told = getattr(request.state, "user_authenticated_via", None) == USER_INJECTED_BY_TRUSTED_MIDDLEWARE
    return getattr(request.state, "user", None) if told else None
