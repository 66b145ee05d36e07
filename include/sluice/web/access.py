"""Who may do what over HTTP: Airflow's login says who it is, its auth manager says what they may.

The auth manager must say yes twice, so that one which knows no views of ours still tells a reader
from a clerk, and one which does can keep cases for the people who handle them:

| what | view `sluice.cases` | runs of the DAG `case_clock` | in Airflow's simple auth manager |
|---|---|---|---|
| read cases | GET | GET | viewer, user, op, admin |
| open and withdraw a case | POST | POST | user, op, admin |

Pages ask for other views, in the same two ways:

| pages | view | runs of the DAG |
|---|---|---|
| exchanges, lineage, roles, agreements | GET `sluice.exchanges` | GET `reconcile` |
| lineage of a person | that, and GET `sluice.cases` | GET `reconcile`, `case_clock` |
| registers | GET `sluice.registers` | GET `reconcile` |
| staff | GET `sluice.staff` | GET `reconcile` |
| to release, to review, to acknowledge a return | POST `sluice.exchanges` | POST `reconcile` |
| breach slice | POST `sluice.breach` | POST `case_clock`: it opens files of persons to count them |

Airflow reads the token: an `Authorization: Bearer` header first, else the cookie of its login. The
cookie is `HttpOnly` and `SameSite=Lax`, and what changes something takes JSON only (`guard.py`): a page
of another site can neither send the cookie along with a POST nor send JSON without asking (CORS), which
Airflow answers for the origins of `[api] access_control_allow_origins` alone, none by default. The pages
take forms too, each with a token of its login and from a page of ours only (`pages/forms.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import get_user
from airflow.configuration import conf
from airflow.models.dag import DagModel
from fastapi import Depends

from sluice.rights.guards import NAME
from sluice.rights.model import Actor, Role
from sluice.web.errors import NameUnfit, NotAllowed

VIEW = "sluice.cases"
DAG = "case_clock"


@dataclass(frozen=True, slots=True)
class Permission:
    """What the auth manager is asked: the method on our view, and the method on runs of our DAG."""

    on_view: Literal["GET", "POST"]
    on_runs: Literal["GET", "POST"]


READ = Permission("GET", "GET")
HANDLE = Permission("POST", "POST")


def may(permission: Permission, view: str = VIEW, dag: str = DAG) -> Callable[[BaseUser], Actor]:
    """A dependency: whoever is logged in, as an actor of the desk. Raises NotAllowed, NameUnfit."""

    def allowed(user: Annotated[BaseUser, Depends(get_user)]) -> Actor:
        if not is_allowed(user, permission, view, dag):
            raise NotAllowed
        if not NAME.fullmatch(user.get_name()):
            raise NameUnfit
        return Actor(Role.DESK, user.get_name())

    return allowed


def has(permission: Permission, view: str = VIEW, dag: str = DAG) -> Callable[[BaseUser], bool]:
    """A dependency: whether they may, for a page that shows more to whom may do more."""

    def asked(user: Annotated[BaseUser, Depends(get_user)]) -> bool:
        return is_allowed(user, permission, view, dag) and NAME.fullmatch(user.get_name()) is not None

    return asked


def is_allowed(user: BaseUser, permission: Permission, view: str, dag: str) -> bool:
    """Whether the auth manager says yes twice."""
    manager = get_auth_manager()
    runs = DagDetails(id=dag, team_name=_team(dag))
    return manager.is_authorized_custom_view(
        method=permission.on_view, resource_name=view, user=user
    ) and manager.is_authorized_dag(
        method=permission.on_runs, access_entity=DagAccessEntity.RUN, details=runs, user=user
    )


def _team(dag: str) -> str | None:
    return DagModel.get_team_name(dag) if conf.getboolean("core", "multi_team") else None


Reader = Annotated[Actor, Depends(may(READ))]
Clerk = Annotated[Actor, Depends(may(HANDLE))]
EXCHANGES = ("sluice.exchanges", "reconcile")
Onlooker = Annotated[Actor, Depends(may(READ, *EXCHANGES))]
Releaser = Annotated[Actor, Depends(may(HANDLE, *EXCHANGES))]
ReadsCases = Annotated[bool, Depends(has(READ))]
HandlesCases = Annotated[bool, Depends(has(HANDLE))]
Releases = Annotated[bool, Depends(has(HANDLE, *EXCHANGES))]
RegisterReader = Annotated[Actor, Depends(may(READ, "sluice.registers", "reconcile"))]
StaffReader = Annotated[Actor, Depends(may(READ, "sluice.staff", "reconcile"))]
BreachReader = Annotated[Actor, Depends(may(HANDLE, "sluice.breach"))]
