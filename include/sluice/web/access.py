"""Permissions over HTTP: Airflow's login says who it is, and its auth manager says what they may do.

The auth manager must say yes twice: on a view of ours, and on runs of a DAG. So an auth manager that does not know our
views still tells a reader from a clerk, and one that does can reserve an area for the people who work there. The rules
are at the end of this file. The table of ``docs/reference/permissions.md``, which a test checks, has every address with
its rule, and what each role of Airflow's simple auth manager may do.

Airflow reads the token: an `Authorization: Bearer` header first, else the cookie of its login. The cookie is `HttpOnly`
and `SameSite=Lax`, and addresses that change something take JSON only (`guard.py`). So a page of another site can
neither send the cookie along with a POST nor send JSON without asking (CORS), which Airflow answers for the origins of
`[api] access_control_allow_origins` alone, none by default. The pages take forms too, each with a token of its login
and from a page of ours only (`pages/forms.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import get_user
from airflow.configuration import conf
from airflow.models.dag import DagModel
from fastapi import Depends

from sluice.ledger.names import is_name
from sluice.rights.case.model import Actor, desk_actor
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


@dataclass(frozen=True, slots=True)
class Rule:
    """A dependency that returns the logged-in user as an actor of the desk. Raises NotAllowed, NameUnfit."""

    permission: Permission
    view: str
    dag: str

    def __call__(self, user: Annotated[BaseUser, Depends(get_user)]) -> Actor:
        if not self.says_yes(user):
            raise NotAllowed
        if not is_name(user.get_name()):
            raise NameUnfit
        return desk_actor(user.get_name())

    def allows(self, user: BaseUser) -> bool:
        """Whether a page that requires this rule opens for the user."""
        return self.says_yes(user) and is_name(user.get_name())

    def says_yes(self, user: BaseUser) -> bool:
        """Whether the auth manager says yes both times."""
        manager = get_auth_manager()
        runs = DagDetails(id=self.dag, team_name=_team(self.dag))
        return manager.is_authorized_custom_view(
            method=self.permission.on_view, resource_name=self.view, user=user
        ) and manager.is_authorized_dag(
            method=self.permission.on_runs, access_entity=DagAccessEntity.RUN, details=runs, user=user
        )


def may(permission: Permission, view: str = VIEW, dag: str = DAG) -> Rule:
    """Return the rule of a route: a permission on a view of ours and on runs of a DAG."""
    return Rule(permission, view, dag)


def has(rule: Rule) -> Callable[[BaseUser], bool]:
    """Return a dependency that tells whether the user has a permission, for a page that then shows more."""

    def asked(user: Annotated[BaseUser, Depends(get_user)]) -> bool:
        return rule.allows(user)

    return asked


def _team(dag: str) -> str | None:
    return DagModel.get_team_name(dag) if _has_teams() else None


@cache
def _has_teams() -> bool:
    return conf.getboolean("core", "multi_team")


EXCHANGES = ("sluice.exchanges", "reconcile")
may_read, may_handle = may(READ), may(HANDLE)
may_see_exchanges, may_release = may(READ, *EXCHANGES), may(HANDLE, *EXCHANGES)
may_see_registers = may(READ, "sluice.registers", "reconcile")
may_sign_roles = may(HANDLE, "sluice.registers", "reconcile")
may_see_staff = may(READ, "sluice.staff", "reconcile")
may_breach = may(HANDLE, "sluice.breach", "case_clock")
"""Only those who handle cases of persons may see who is affected by a breach."""

CaseReader = Annotated[Actor, Depends(may_read)]
Clerk = Annotated[Actor, Depends(may_handle)]
Onlooker = Annotated[Actor, Depends(may_see_exchanges)]
Releaser = Annotated[Actor, Depends(may_release)]
Auditor = Annotated[Actor, Depends(may_see_registers)]
RoleSigner = Annotated[Actor, Depends(may_sign_roles)]
StaffReader = Annotated[Actor, Depends(may_see_staff)]
BreachDesk = Annotated[Actor, Depends(may_breach)]
ReadsCases = Annotated[bool, Depends(has(may_read))]
HandlesCases = Annotated[bool, Depends(has(may_handle))]
Releases = Annotated[bool, Depends(has(may_release))]
SignsRoles = Annotated[bool, Depends(has(may_sign_roles))]
Audits = Annotated[bool, Depends(has(may_see_registers))]
