"""Page by page: what the installation holds before its first command, and what the page's words mean there."""

import csv
import hashlib
import json
import shlex
import shutil
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from handbook.days import day
from handbook.ground import Ground, Prepare, blocks
from handbook.shell import Placeholders
from sluice.terms import Direction
from support.night import DUE_DAY, STAFF

HOW_TO = "docs/how-to/"
INBOUND, RETURN, INTERNAL = Direction.INBOUND, Direction.OUTBOUND_RETURN, Direction.INTERNAL
TOKEN = "s3cret"
LONG_ID = "7b0d3f1e-2c00-4e51-9d44-1f0c5f3a7b10"


def nothing(ground: Ground) -> Placeholders:
    return {}


def one_contacts_file(ground: Ground) -> Placeholders:
    shutil.copy(ground.night.contacts, ground.folder / "leads.csv")
    return {}


def send_a_file(ground: Ground) -> Placeholders:
    one_contacts_file(ground)

    def receipt() -> str:
        ground.night.desk.work()
        exchange = ground.exchange(INBOUND)
        for end in ("json", "pdf"):
            ground.get(f"energy01/receipts/renewal_campaign/{exchange}.{end}", ground.folder / f"{exchange}.{end}")
        ground.public_key()
        return f"{exchange}.json"

    return {"7b0d3f1e-....json": receipt}


def a_receipt(ground: Ground) -> Placeholders:
    exchange = ground.exchange(INBOUND)
    line = next(each for each in ground.night.desk.lines() if str(each.id) == exchange)
    ground.get(f"energy01/receipts/{line.flow}/{exchange}.json", ground.folder / f"{exchange}.json")
    ground.public_key()
    return {"7b0d3f1e-....json": f"{exchange}.json"}


def acknowledge(ground: Ground) -> Placeholders:
    [line] = ground.night.returns()
    sha256 = hashlib.sha256(ground.night.file(line)).hexdigest()
    return {LONG_ID: str(line.id), "7b0d3f1e": str(line.id)[:8], "<sha256 of the file>": sha256}


def add_a_platform(ground: Ground) -> Placeholders:
    (mapping,), (export, _) = (blocks(f"{HOW_TO}add-a-platform.md", kind) for kind in ("yaml", "csv"))
    (ground.folder / "include" / "mappings" / "tiny.yaml").write_text(mapping)
    (ground.folder / "tiny.csv").write_text(export)
    return {}


def letters(ground: Ground) -> Placeholders:
    """Somebody asks for access; what the center decides of is refused."""
    _, phone = ground.person
    opened = ground.sluice("case", "open", "--right", "access", "--identifier", f"phone:{phone}")
    ground.sluice("case", "identity", opened["case"])
    refused = ("--refuse", "ThirdPartyRightsImpaired", "--remedies", "remedies.be")
    ground.sluice("case", "decide", opened["case"], *refused)
    return {}


def a_package(ground: Ground) -> Placeholders:
    _, phone = ground.person
    case = ground.sluice("case", "open", "--right", "access", "--identifier", f"phone:{phone}")["case"]
    ground.sluice("case", "identity", case)
    ground.sluice("case", "decide", case, "--accept", "give")
    ground.sluice("export", "access", case, "--sealed")
    return {}


def take_along(ground: Ground) -> Placeholders:
    text = blocks(f"{HOW_TO}answer-portability.md", "yaml")[0]
    lines = [line for line in text.splitlines() if not line.startswith("pgpKey")]
    (ground.folder / "include" / "controllers" / "solar02.yaml").write_text("\n".join(lines) + "\n")
    (ground.folder / "include" / "principals" / "solar02").mkdir()
    return {}


def breach(ground: Ground) -> Placeholders:
    exchange = ground.exchange(INBOUND)
    arrived = next(iter(ground.night.desk.house.objects.list_versions(ground.bucket, "energy01/inbound/")))
    place = f"s3://{ground.bucket}/{arrived.key}?versionId={arrived.version_id}"
    return {
        "7b0d3f1e": exchange[:8],
        "s3://exchange/energy01/inbound/renewal_campaign/contacts.csv?versionId=...": place,
        "0f3a...": lambda: str(ground.sluice("staff", "ref", "agent01")["agent_ref"]),
        "2026-11-24T08:00": f"{DUE_DAY}T00:00",
        "2026-11-24T18:00": f"{DUE_DAY}T23:00",
    }


def consents(ground: Ground) -> Placeholders:
    record, phone = ground.person
    head = "customer,phone,purpose,channel,state,at,method,notice,collected_by"
    line = f"{record},{phone},P-RENEW,voice,given,{day(-3)},web_form,W-7,webshop"
    (ground.folder / "consents.csv").write_text(f"{head}\n{line}\n")
    return {}


def dial_list(ground: Ground) -> Placeholders:
    (ground.folder / "dncm.txt").write_text(f"{ground.night.people(2)[1][1]}\n")
    return {"7b0d3f1e": lambda: ground.exchange(INTERNAL)[:8]}


def erase(ground: Ground) -> Placeholders:
    def decided() -> str:
        case = ground.case()
        ground.sluice("case", "identity", case)
        ground.instruct("erase")
        ground.sluice("case", "decide", case, "--accept", "erase")
        return "sluice erase plan"

    def certificate() -> str:
        bucket, objects = ground.night.desk.settings.bucket_evidence, ground.night.desk.house.objects
        [found] = [each for each in objects.list_versions(bucket, "certificates/") if each.key.endswith(".json")]
        ground.get(found.key, ground.folder / "erasure-certificate.json", bucket)
        ground.public_key()
        return "erasure-certificate.json"

    return {"sluice erase plan": decided, "erasure-certificate.9f3c1d20ab54e6f1.json": certificate}


def find(ground: Ground) -> Placeholders:
    (ground.folder / "person.tsv").write_text("Zoë Van den Bossche\t1980-04-03\n")

    def candidate() -> str:
        asked = ground.folder / "asked.tsv"
        asked.write_text("Zoë Van den Bossche\t1980-04-03\n")
        [person] = ground.sluice("subject", "candidates", str(asked))["persons"]
        [found] = person["candidates"]
        return f"{found['principal']}:{found['candidate']}"

    return {"energy01:3f2a9c...": candidate}


def keep(ground: Ground) -> Placeholders:
    return {
        "7b0d3f1e": ground.exchange(INBOUND)[:8],
        "2027-06-30": str(day(200)),
        "2027-01-31": str(day(60)),
        "3f0c21aa": lambda: str(ground.sluice("retention", "holds")["holds"][0]["hold_id"])[:8],
    }


def restrict(ground: Ground) -> Placeholders:
    """The restriction that is lifted at the end of the page was decided by everybody; it is the case opened first."""
    first: list[str] = []

    def restricted() -> str:
        [case] = [each["case"] for each in ground.sluice("case", "list")["cases"] if each["right"] == "restriction"]
        ground.sluice("case", "identity", case)
        ground.instruct("restrict", case)
        ground.sluice("case", "decide", case, "--accept", "restrict")
        ground.sluice("notices", "follow")
        first.append(case)
        return case[:8]

    return {"6f0c4f0e": lambda: first[0][:8] if first else restricted()}


def return_results(ground: Ground) -> Placeholders:
    def roles() -> str:
        key = next(each for each in ground.night.delivered() if each.endswith(".roles.json"))
        ground.get(key, ground.folder / "return.roles.json")
        ground.public_key()
        return "return.roles.json"

    return {"7b0d3f1e": lambda: ground.exchange(RETURN)[:8], "FILE.roles.json": roles}


def staff(ground: Ground) -> Placeholders:
    (ground.folder / "exams.csv").write_text(STAFF)
    return {
        "A-1042": "agent01",
        "2026-11-20T00:00": f"{day(1)}T00:00",
        "SLUICE_ELEARNING_TOKEN=...": f"SLUICE_ELEARNING_TOKEN={TOKEN}",
        "https://elearning.example/export": lambda: e_learning(list(csv.DictReader(STAFF.splitlines()))),
    }


def e_learning(rows: Sequence[Mapping[str, str]]) -> str:
    """The address of a system that gives these rows to who shows the token, as long as this process lives."""
    content = json.dumps({"rows": [{name: cell for name, cell in row.items() if cell} for row in rows]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_known = self.headers["Authorization"] == f"Bearer {TOKEN}"
            self.send_response(200 if is_known else 401)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(content if is_known else b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/export"


def machines(ground: Ground) -> Placeholders:
    """The stores of this test are somebody else's servers, as a service of a cloud is."""
    admin = ground.night.desk.settings.database_admin_url
    assert admin is not None
    return {"SLUICE_DATABASE_ADMIN_URL=...": f"SLUICE_DATABASE_ADMIN_URL={shlex.quote(admin.get_secret_value())}"}


def recipients(ground: Ground) -> Placeholders:
    """Somebody who was returned is restricted, which a recipient hears, and corrected, which the desk has to tell."""
    record, phone = ground.person
    words = ("--identifier", f"phone:{phone}", "--identifier", f"customer:{record}")
    case = ground.sluice("case", "open", "--right", "restriction", *words)["case"]
    ground.sluice("case", "identity", case)
    ground.instruct("restrict")
    ground.sluice("case", "decide", case, "--accept", "restrict")
    other = ground.sluice("case", "open", "--right", "rectification", *words)["case"]
    (ground.folder / "values.json").write_text(json.dumps({"street": "Nieuwstraat 1", "note": "asked for nothing"}))
    ground.sluice("case", "rectify", other, str(ground.folder / "values.json"))
    ground.sluice("case", "identity", other)
    ground.instruct("rectify", values={"street": "Nieuwstraat 1"})
    ground.sluice("case", "decide", other, "--accept", "rectify")
    ground.sluice("notices", "follow")  # corrects; who has what was corrected is looked for afterwards
    for name in ("mail.eml", "registered-letter.pdf"):
        (ground.folder / name).write_text("said so")
    return {
        "sluice notices ack 7b0d3f1e": lambda: f"sluice notices ack {ground.notice('SENT')[:8]}",
        "sluice notices ack 7b0d3f1e --done": lambda: f"sluice notices ack {ground.notice('ACKNOWLEDGED')[:8]} --done",
        "sluice notices export 7b0d3f1e": lambda: f"sluice notices export {ground.notice('OWED')[:8]}",
        "sluice notices sent 7b0d3f1e": lambda: f"sluice notices sent {ground.notice('OWED')[:8]}",
        LONG_ID: lambda: ground.notice(),
        "6f0c4f0e": case[:8],
    }


def it_desk(ground: Ground) -> Placeholders:
    """Somebody asks to be erased, and their principal decides: signed, as its IT desk set it up."""
    _, phone = ground.person
    asked = ("--right", "erasure", "--identifier", f"phone:{phone}", "--principal", "energy01")
    case = ground.sluice("case", "open", *asked)["case"]
    ground.sluice("case", "follow")
    parts = ground.sluice("case", "show", case)["sub_cases"]
    [number] = [part["sub_case"] for part in parts if part["state"] == "AWAITING_INSTRUCTION"]

    def answered() -> str:
        ground.sluice("case", "follow")
        return f"s3://{ground.bucket}/energy01/notices/ answers"

    return {"<number of the notice>": number, "s3://exchange/energy01/notices/ answers": answered}


def review(ground: Ground) -> Placeholders:
    return {"7b0d3f1e": ground.exchange(INTERNAL)[:8], "--rows 3,7-9": "--rows 1,3-4", "--rows 12": "--rows 2"}


PAGES: Mapping[str, Prepare] = {
    f"{HOW_TO}{name}.md": page
    for name, page in {
        "acknowledge-a-return": acknowledge,
        "add-a-platform": add_a_platform,
        "add-a-principal": one_contacts_file,
        "answer-a-person": letters,
        "answer-access": nothing,
        "answer-links": a_package,
        "answer-portability": take_along,
        "breach": breach,
        "consent": consents,
        "dial-list": dial_list,
        "end-an-agreement": nothing,
        "erase-a-person": erase,
        "find-a-person": find,
        "keep-and-delete": keep,
        "keys": nothing,
        "more-than-one-machine": machines,
        "principals-it-desk": it_desk,
        "rectify": nothing,
        "registers": nothing,
        "restrict-or-withdraw": restrict,
        "return-results": return_results,
        "review-notes": review,
        "send-a-file": send_a_file,
        "staff": staff,
        "tell-recipients": recipients,
    }.items()
} | {"docs/reference/standards.md": a_receipt}
