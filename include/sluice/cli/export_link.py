"""``sluice export link``: how a package reaches its person. The token is printed once and kept nowhere."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.cli.case_output import CaseArgument
from sluice.cli.options import ByOption
from sluice.cli.output import Format, FormatOption, show_json, show_pairs, show_table
from sluice.settings import get_settings, login_name

if TYPE_CHECKING:
    from sluice.answers.link_model import Link
    from sluice.answers.model import Answer

PATH = "/sluice/api/v1/answers/"


def link(
    case: CaseArgument,
    code: Annotated[
        str | None,
        typer.Option(
            help="Second word, agreed with the person, six characters or more, no case number; drawn by default."
        ),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(
            min=1, help="Days until the link expires; by default the parameter of that date in facts/parameters.csv."
        ),
    ] = None,
    uses: Annotated[int, typer.Option(min=1, max=100, help="How often the link can be opened.")] = 5,
    base: Annotated[str, typer.Option(help="Address of the API server, to put before the path.")] = "",
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Make a link to the package of a case, for its person. Send the link and the second word by two different ways.

    Token and second word (code) are only in this output and cannot be shown again. Five wrong words close the link.
    JSON: link, token, code, path, case, expires_at, uses. Exit 1 when there is no package, or none any more.

    Example: sluice export link 5b1f0c2e --days 14
    """
    from sluice.answers.link import make_link
    from sluice.exchange.house import open_house
    from sluice.rights.case.model import desk_actor
    from sluice.rights.case.store import find_beginning

    with open_house(get_settings()) as house:
        found = find_beginning(house.conn, case)
        actor = desk_actor(by or login_name())
        new = make_link(house, found, datetime.now(UTC), actor, code=code, days=days, most_uses=uses)
    told = {
        "link": new.link.link_id,
        "token": new.token,
        "code": new.code,
        "path": f"{base.rstrip('/')}{PATH}{new.token}",
        "case": found,
        "expires_at": new.link.expires_at.isoformat(),
        "uses": uses,
    }
    show_json(told) if format is Format.JSON else show_pairs("Link", told)


def links(case: CaseArgument, format: FormatOption = Format.TABLE) -> None:
    """List the packages of a case and their links: when each expires, how often it was opened or given a wrong word.

    JSON: case, answers [{answer, kind, made_at, delete_after, gone_at, gone_why, links [...]}].

    Example: sluice export links 5b1f0c2e
    """
    from sluice.answers.store import find_answers, find_links
    from sluice.db import connect
    from sluice.rights.case.store import find_beginning

    with connect(get_settings()) as conn:
        found = find_beginning(conn, case)
        answers = [(answer, find_links(conn, answer.answer_id)) for answer in find_answers(conn, found)]
    if format is Format.JSON:
        told = [_told(answer) | {"links": [_link_told(each) for each in held]} for answer, held in answers]
        show_json({"case": found, "answers": told})
        return
    rows = [
        (a.answer_id, a.kind.value, a.delete_after, a.gone_why, each.link_id, each.expires_at, each.uses, each.failures)
        for a, held in answers
        for each in held
    ]
    head = ("answer", "kind", "delete after", "gone", "link", "expires at (UTC)", "uses", "wrong codes")
    show_table("Links", head, rows)


def _told(answer: "Answer") -> dict[str, Any]:
    return {
        "answer": answer.answer_id,
        "kind": answer.kind.value,
        "only_principal": answer.only_principal,
        "made_at": answer.made_at,
        "delete_after": answer.delete_after,
        "gone_at": answer.gone_at,
        "gone_why": answer.gone_why,
    }


def _link_told(link: "Link") -> dict[str, Any]:
    return {
        "link": link.link_id,
        "expires_at": link.expires_at,
        "uses": link.uses,
        "most_uses": link.most_uses,
        "wrong_codes": link.failures,
        "closed_at": link.revoked_at,
    }
