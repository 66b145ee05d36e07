"""A case is opened from a page: by the function of the API, once, and without a word of the person anywhere else."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import cycle
from typing import Any

import psycopg
import pytest
import time_machine
from psycopg import sql

from rights.town import Town
from sluice.documents.words import LANGUAGES, words
from sluice.rights.case.clock import received_on
from sluice.rights.case.model import CaseId, Right, State
from sluice.rights.case.store import get_case, list_cases
from sluice.rights.person.sealed import open_sealed
from sluice.terms import Principal, SubjectKind
from sluice.web.pages.app import MOUNT
from sluice.web.pages.forms import OLDEST_SECONDS
from support.desk import Desk
from web.desk_work import said, send, token_of
from web.house import Web, open_pages
from web.test_again import ALERT, form_of

pytestmark = pytest.mark.stores
PAGE = "/cases/new"
NUMBER = re.compile(r'name="request" value="([0-9a-f-]{36})"')
PHONE, MAIL, RECORD, IBAN = "0470123456", "an.wouters@mail.example", "C-000471", "BE71 0961 2345 6769"
NAME, BORN = "Wouters Annelies", "1980-04-03"
PERSON = (PHONE, "32470123456", MAIL, RECORD, IBAN, IBAN.replace(" ", ""), NAME, BORN)
SCRIPT = '"><script>alert(1)</script>'
LETTERS = {"right": "erasure", "channel": "letter", "language": "nl"}


@pytest.fixture
def pages(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Anna, a clerk, at the pages."""
    with open_pages(desk, monkeypatch) as opened:
        yield opened


def form(pages: Web, **said: Any) -> dict[str, Any]:
    """The form as it is sent: with its number, and what is needed."""
    text = pages.get(PAGE).text
    [number] = NUMBER.findall(text)
    today = received_on(datetime.now(UTC))
    return {"request": number, "received": (today - timedelta(days=3)).isoformat(), **LETTERS, **said}


def sent(pages: Web, path: str = PAGE, **said: Any) -> Any:
    return send(pages, path, token_of(pages, PAGE), **form(pages, **said))


def opened(pages: Web, answer: Any) -> CaseId:
    """The case whose page comes next."""
    found = re.fullmatch(
        rf"{MOUNT}/cases/([0-9a-f-]{{36}})\?done=(open|open_waits)(&lang=\w\w)?", answer.headers["location"]
    )
    assert answer.status_code == 303 and found, said(answer.text)
    return CaseId(found[1])


def faults(answer: Any) -> list[str]:
    """The fields that are marked."""
    return re.findall(r'name="(\w+)"[^>]* aria-invalid="true"', answer.text)


def test_a_case_is_opened_as_the_api_opens_it(pages: Web) -> None:
    case_id = opened(pages, sent(pages, phone=f"{PHONE}\r\n\r\n 0470 12 34 57 ", email=MAIL, customer=RECORD, iban=IBAN,
                                 owner="energy01", principal="energy01"))  # fmt: skip
    case, house = get_case(pages.desk.house.conn, case_id), pages.desk.house
    assert (case.right, case.state, case.principal, case.channel, case.language) == (
        Right.ERASURE, State.RECEIVED, "energy01", "letter", "nl",
    )  # fmt: skip
    envelope = open_sealed(house, case.subject_key).envelope
    given = [(each.kind, each.value, each.owner) for each in envelope.identifiers]
    assert given == [
        (SubjectKind.PHONE, PHONE, None),
        (SubjectKind.PHONE, "0470 12 34 57", None),
        (SubjectKind.EMAIL, MAIL, None),
        (SubjectKind.PRINCIPAL_CUSTOMER_ID, RECORD, Principal("energy01")),
        (SubjectKind.IBAN, IBAN, None),
    ]
    assert (envelope.actor, envelope.sought, envelope.purposes) == ("anna", None, ())
    assert len(pages.desk.sql("select 1 from suppression_run where reason = 'soft_hold' and lifted_at is null")) == 1
    shown = pages.get(f"/cases/{case_id}?done=open&lang=en").text
    assert words("en").say("pages.done.open") in said(shown) and 'role="status"' in shown


def test_the_form_is_offered_to_those_who_may_send_it(pages: Web) -> None:
    link = f'href="{MOUNT}{PAGE}?lang=en"'
    for path in ("/cases?lang=en", "/start?lang=en"):
        assert link in pages.get(path).text and link not in pages.as_("vera:VIEWER").get(path).text, path
    token = token_of(pages, PAGE)
    for login, status in (("vera:VIEWER", 403), (None, 401)):
        assert pages.as_(login).get(PAGE).status_code == status
        answer = send(pages.as_(login), PAGE, token, **form(pages, phone=PHONE))
        assert answer.status_code == status and PHONE not in answer.text
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {}):
        answer = send(pages, PAGE, token, headers, **form(pages, phone=PHONE))
        assert answer.status_code == 403 and "SLU-608" in answer.text and PHONE not in answer.text
    assert list_cases(pages.desk.house.conn) == []


def test_a_form_that_is_sent_again_opens_no_second_case(pages: Web) -> None:
    told, token = form(pages, phone=PHONE), token_of(pages, PAGE)
    case_id = opened(pages, send(pages, PAGE, token, **told))
    again = send(pages, PAGE, token, **told)
    assert again.status_code == 303 and again.headers["location"] == f"{MOUNT}/cases/{case_id}?done=open_before"
    assert words("fr").say("pages.done.open_before") in said(
        pages.get(f"/cases/{case_id}?done=open_before&lang=fr").text
    )
    for changes in ({"phone": "0470123457"}, {"right": "access"}, {"language": "fr"}):
        other = send(pages, PAGE, token, **told | changes)
        assert other.status_code == 409 and "SLU-525" in ALERT.findall(other.text)[0], changes
        assert f'href="{MOUNT}/cases/{case_id}"' in other.text and NUMBER.findall(other.text) == [told["request"]]
    assert len(list_cases(pages.desk.house.conn)) == 1

    assert opened(pages, sent(pages, phone=PHONE)) != case_id, "the control: another form is another case"
    assert len({NUMBER.findall(pages.get(PAGE).text)[0] for _ in range(3)}) == 3


def test_a_name_and_a_birth_date_alone_wait_for_a_human(pages: Web) -> None:
    case_id = opened(pages, sent(pages, full_name=NAME, born=BORN))
    case = get_case(pages.desk.house.conn, case_id)
    assert case.sub_cases == () and open_sealed(pages.desk.house, case.subject_key).envelope.is_waiting
    shown = said(pages.get(f"/cases/{case_id}?done=open_waits&lang=nl").text)
    assert words("nl").say("pages.done.open_waits") in shown and words("nl").say("pages.next.confirm_person") in shown


def test_an_objection_names_its_purposes_and_its_channel(pages: Web) -> None:
    text = pages.get(PAGE).text
    marketing = "https://w3id.org/dpv#DirectMarketing"
    assert f'name="purpose" value="{marketing}"' in text
    about = {"right": "objection", "purpose": [marketing], "contact_channel": "sms"}
    case = get_case(pages.desk.house.conn, opened(pages, sent(pages, phone=PHONE, **about)))
    envelope = open_sealed(pages.desk.house, case.subject_key).envelope
    assert case.right is Right.DIRECT_MARKETING, "nothing but marketing cannot be refused"
    assert (envelope.purposes, envelope.contact_channel) == ((marketing,), "sms")
    for wrong in ({"purpose": ["https://evil.example/#DirectMarketing"]}, {"contact_channel": "pigeon"}):
        answer = sent(pages, phone=PHONE, **about | wrong)
        assert answer.status_code == 422 and "evil" not in answer.text and "pigeon" not in answer.text


WRONG: list[tuple[dict[str, Any], str, int, list[str], str]] = [
    ({}, "SLU-522", 422, ["phone"], "nobody_given"),
    ({"phone": f"{PHONE}\n12"}, "SLU-522", 422, ["phone"], "names_nobody"),
    ({"phone": PHONE, "email": "nobody"}, "SLU-522", 422, ["email"], "names_nobody"),
    ({"iban": "BE00 0000", "phone": PHONE}, "SLU-522", 422, ["iban"], "names_nobody"),
    ({"national_number": "1", "customer": RECORD}, "SLU-522", 422, ["national_number"], "names_nobody"),
    ({"full_name": NAME}, "SLU-522", 422, ["full_name", "born"], "no_name"),
    ({"phone": PHONE, "received": "2999-01-01"}, "SLU-304", 422, ["received"], "in_the_future"),
    ({"phone": PHONE, "received": "2017-01-01"}, "SLU-531", 422, ["received"], "moment"),
    ({"phone": PHONE, "received": "1066-01-01"}, "SLU-607", 422, ["received"], "moment"),
    ({"phone": PHONE, "received": ""}, "SLU-607", 422, ["received"], "missing"),
    ({"phone": PHONE, "principal": "nobody99"}, "SLU-524", 422, ["principal"], "choice"),
    ({"phone": PHONE, "right": "", "channel": "file"}, "SLU-607", 422, ["right", "channel"], "missing"),
    ({"customer": RECORD, "owner": "energy01", "principal": "bank01"}, "SLU-304", 422, ["owner"], "not_addressed"),
    ({"phone": "1" * 321}, "SLU-607", 422, ["phone"], "long"),
    ({"phone": "\n".join([PHONE] * 51)}, "SLU-607", 422, ["phone"], "long"),
    ({"phone": "\n".join([PHONE] * 26), "email": "\n".join([MAIL] * 26)}, "SLU-607", 422, ["phone", "email"], "long"),
]


def test_what_is_wrong_stands_beside_its_field(pages: Web) -> None:
    for (fields, code, status, marked, why), language in zip(WRONG, cycle(LANGUAGES), strict=False):
        answer = sent(pages, f"{PAGE}?lang={language}", **fields)
        assert answer.status_code == status and code in ALERT.findall(answer.text)[0], said(answer.text)
        assert faults(answer) == marked and f'<html lang="{language}">' in answer.text
        say = words(language)
        for name in marked:
            beside = re.findall(rf'<p class="fault" id="beside-{name}">(.*?)</p>', answer.text)
            assert len(beside) == 1 and f'href="#{name}"' in ALERT.findall(answer.text)[0]
            assert (
                f'id="{name}"' in answer.text and f"beside-{name}" in answer.text.partition(f'name="{name}"')[2][:400]
            )
        assert say.say(f"pages.fault.{why}") in said(answer.text)
        for name in ("phone", "email", "customer", "iban", "full_name"):
            assert fields.get(name, "") in unescape(answer.text), "what was typed is there to be mended"
    assert list_cases(pages.desk.house.conn) == []


def test_a_customer_number_of_several_has_to_be_said_whose(own_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    person, other = own_town.people[:2]
    number = person.record("energy01")
    own_town.desk.drop(f"{own_town.head}\n{number};{other.line}\n".encode(), "same.csv", ("gas01", "renewal_campaign"))
    own_town.desk.work()
    with open_pages(own_town.desk, monkeypatch) as pages:
        answer = sent(pages, f"{PAGE}?lang=en", customer=number)
        assert answer.status_code == 422 and "SLU-527" in ALERT.findall(answer.text)[0] and faults(answer) == ["owner"]
        assert f">{number}</textarea>" in answer.text
        case = get_case(own_town.house.conn, opened(pages, sent(pages, customer=number, owner="gas01")))
    assert {part.principal for part in case.sub_cases} == {"gas01"}, "the control"


def test_a_form_that_lay_too_long_comes_back_and_is_sent_once_more(pages: Web) -> None:
    told, token = form(pages, phone=PHONE, full_name=NAME, born=BORN), token_of(pages, PAGE)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=OLDEST_SECONDS + 60), tick=True):
        answer = send(pages, PAGE, token, **told)
        assert answer.status_code == 403 and "SLU-609" in ALERT.findall(answer.text)[0]
        again = form_of(answer.text, PAGE)
        assert (again["request"], again["full_name"], again["born"]) == ([told["request"]], [NAME], [BORN])
        assert f">{PHONE}</textarea>" in answer.text and list_cases(pages.desk.house.conn) == []
    others = send(pages, PAGE, token_of(pages.as_("carla:USER"), PAGE), **told)
    assert others.status_code == 403 and PHONE not in others.text, "what was sent with another's token is not shown"


def test_a_script_that_is_typed_stays_text(pages: Web) -> None:
    fields = dict.fromkeys(("phone", "email", "customer", "national_number", "iban", "full_name"), SCRIPT)
    answer = sent(pages, **fields)
    assert answer.status_code == 422 and "<script>alert" not in answer.text
    assert answer.text.count("&lt;script&gt;alert(1)&lt;/script&gt;") == len(fields), "the control: all of it is there"
    names = ("right", "principal", "owner", "received", "born", "channel", "language", "request", "purpose")
    for name in (*names, "contact_channel"):
        answer = sent(pages, phone=PHONE, **{name: SCRIPT})
        assert answer.status_code == 422 and "alert(1)" not in answer.text, name


def cells(admin_url: str) -> Iterator[bytes]:
    """Every cell of every table of this installation's own database."""
    named = "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
    with psycopg.connect(admin_url, autocommit=True) as conn:
        for schema, table in conn.execute(named).fetchall():
            rows = conn.execute(sql.SQL("select * from {}").format(sql.Identifier(schema, table)))
            for cell in (each for row in rows for each in row):
                yield bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode()


def held(pages: Web, caplog: pytest.LogCaptureFixture) -> bytes:
    """Logs, every cell of every table, and the name of every object."""
    settings = pages.desk.settings
    assert settings.database_admin_url
    written = b"\n".join(cells(settings.database_admin_url.get_secret_value()))
    buckets = (settings.bucket_vault, settings.bucket_lake)
    keys = [item.key for bucket in buckets for item in pages.desk.objects(bucket)]
    return "\n".join([caplog.text, *keys]).encode() + written


def test_nothing_of_the_person_is_anywhere_but_in_the_seal(pages: Web, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    caplog.set_level("DEBUG", "httpx2")  # the client of these tests, which tells every address
    told = {"phone": PHONE, "email": MAIL, "customer": RECORD, "iban": IBAN, "full_name": NAME, "born": BORN}
    wrong = sent(pages, **told | {"national_number": "1"})
    answer = sent(pages, **told)
    case_id = opened(pages, answer)
    shown = pages.get(f"/cases/{case_id}")
    assert wrong.status_code == 422 and wrong.headers["cache-control"] == shown.headers["cache-control"] == "no-store"
    addresses = "".join(re.findall('(?:href|action|src)="[^"]*"', wrong.text + shown.text)) + str(answer.headers)
    everywhere = held(pages, caplog)
    for value in PERSON:
        assert value not in addresses + shown.text and value.encode() not in everywhere, value
    assert b"REQUEST_RECEIVED" in everywhere and b"/cases/new" in everywhere
    columns = "(case_id, objects, asked_by, begun_at)"
    pages.desk.house.conn.execute(f"insert into case_tidied {columns} values (%s, 1, %s, now())", (case_id, PHONE))
    assert PHONE.encode() in held(pages, caplog), "the control: one cell is enough"
