"""Check where a form comes from and its token, so that no other site can send one in the user's name (CSRF).

Two checks, each enough by itself (OWASP, Cross-Site Request Forgery Prevention): the browser says that the form comes
from a page of ours, and the form has a token that was made for this login. The token is signed with Airflow's
``[api] secret_key``, which every API server has, with the library and in the way that Airflow uses for its own tokens.
"""

from typing import Annotated, Final
from urllib.parse import urlsplit

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.core_api.security import get_user
from airflow.configuration import conf
from fastapi import Depends, Form, Request
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from sluice.web.errors import FormNotOurs, SentFromElsewhere

FORM: Final = "application/x-www-form-urlencoded"
OLDEST_SECONDS: Final = 4 * 60 * 60
"""After this time a page must be opened again before its form is sent."""


def make_token(user: Annotated[BaseUser, Depends(get_user)]) -> str:
    """A dependency that returns the token for the forms of a page for this user."""
    return _serializer().dumps(user.get_id())


def check_form(
    request: Request, user: Annotated[BaseUser, Depends(get_user)], token: Annotated[str, Form()] = ""
) -> None:
    """A dependency of every route that takes a form. Raises SentFromElsewhere, FormNotOurs."""
    if not is_from_here(request):
        raise SentFromElsewhere
    is_old = False
    try:
        said = _serializer().loads(token, max_age=OLDEST_SECONDS)
    except SignatureExpired:
        said, is_old = None, _serializer().loads(token) == user.get_id()
    except BadSignature:
        said = None
    if said != user.get_id():
        raise FormNotOurs(is_old)


def is_from_here(request: Request) -> bool:
    """Whether the browser says that a page of ours sent it. Plain HTTP and older browsers name only the origin."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(request.headers.get("origin", ""))
    ours = {request.headers.get("host", ""), urlsplit(conf.get("api", "base_url", fallback="")).netloc}
    return origin.scheme in ("http", "https") and origin.netloc in ours


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(conf.get_mandatory_value("api", "secret_key"), salt="sluice-forms")


Token = Annotated[str, Depends(make_token)]
Checked = Depends(check_form)
