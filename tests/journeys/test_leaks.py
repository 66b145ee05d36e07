"""S-01 on a whole installation: two hundred canaries through every door, and no channel that tells of one."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg
import pytest
from pydantic import SecretStr
from typer.main import get_command
from typer.testing import CliRunner

from journeys.door import Api
from leaks import plants, twin
from leaks.canaries import Person, draw
from leaks.scan import Report, scan
from leaks.sources import Source, files, objects, tables, temporary
from leaks.verbs import NOT_SAID, verbs
from rights.everywhere import age_opener
from rights.post_office import PostOffice, post_office
from rights.residue import QUOTED, Searcher
from sluice.cli.whole import app
from sluice.errors import SluiceError, place_of
from sluice.exchange.house import House, open_house
from sluice.rights.mail.write import send_mails
from sluice.services import airflow, keeper, postgres
from sluice.settings import get_settings
from support.effort import chosen
from support.installation import CHECKOUT, Put, Record, Stack, environment
from support.night import COLUMNS, Call
from support.stores import client_of

pytestmark = [pytest.mark.journey, pytest.mark.evidence, pytest.mark.timeout(900)]
LONG = os.environ.get("SLUICE_LONG")
DAGS = Path(__file__).parents[1] / "leaks" / "dags"
STRAY = "no_such_flow"
PAGES = ("exchanges", "cases", "agreements", "registers", "lineage", "dial", "notices", "reviews", "answers")
SEEN_IN = {
    "task log": "log airflow", "stdout": "log airflow", "exception": "log airflow", "url": "log airflow-api-server.log",
    "xcom": "table airflow.public.xcom", "rendered field": "table airflow.public.rendered_task_instance_fields",
    "run conf": "table airflow.public.dag_run", "database table": "table sluice.public.leaky_twin",
    "lineage": "file lineage", "gx output": "file leaky_twin", "metric": "file leaky_twin",
    "receipt": "object exchange receipts", "receipt pdf": "pdf text exchange receipts",
    "quarantine listing": "object exchange receipts", "object key": "key exchange",
    "object metadata": "metadata exchange", "temporary file": "temporary", "mail": "mail",
}  # fmt: skip
"""The channel in which the scanner has to see each leak of the twin."""


@dataclass
class Lived:
    """An installation through which everybody went, and what it said meanwhile."""

    stack: Stack
    people: list[Person]
    since: float
    office: PostOffice
    said: list[Source] = field(default_factory=list)
    verbs: int = 0
    dags: int = 0
    remotes: list[str] = field(default_factory=list)
    """Whom processes of the installation were connected to, each time somebody looked."""

    @property
    def searcher(self) -> Searcher:
        return Searcher([each.spellings for who in self.people for each in who.canaries])

    def sources(self) -> Iterator[Source]:
        """Every channel of the installation."""
        server = postgres.find(self.stack.var)
        assert server is not None
        yield from self.said
        yield from (Source("mail", said.encode()) for said in self.office.said)
        yield from files(self.stack.var / "logs", "log")
        yield from files(self.stack.var, "file", frozenset({"logs", "weed", "postgres"}))
        yield from temporary(self.since)
        yield from tables(server.admin_url)
        yield from objects(client_of(self.stack.settings), buckets_of(self.stack))


def buckets_of(stack: Stack) -> dict[str, str]:
    return {
        use: getattr(stack.settings, f"bucket_{use}") for use in ("exchange", "internal", "lake", "vault", "evidence")
    }


@pytest.fixture(scope="module")
def lived(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Files arrive, agents call, persons ask, people look: with canaries wherever somebody can be named."""
    since = time.time()
    with post_office() as office, open_house(stack.settings) as house:
        lived = Lived(stack, draw(int(since)), since, office)
        at = arrive(lived, tmp_path_factory.mktemp("leaks"))
        say(lived, house, at)
        look(lived, at)
        write(lived, house)
        run_dags(lived)
        time.sleep(2)  # what is still being written
        yield lived


def arrive(lived: Lived, folder: Path) -> dict[str, str]:
    """Every file, sound and wrong, and some twice; ids and paths that commands are asked about."""
    stack, people = lived.stack, lived.people
    contents = dict(plants.hopeless(people)) | {"sound.csv": plants.sound(people), "partly.csv": plants.partly(people)}
    puts = {name: put(stack, folder, name, content) for name, content in contents.items()}
    put(stack, folder, "stray.csv", contents["sound.csv"], STRAY)
    lines = stack.wait(list(puts.values()))
    again = stack.wait([put(stack, folder, "again.csv", contents["sound.csv"])])
    assert {line.reason_code for line in again.values()} == {"DUPLICATE_CONTENT"}
    by_name = {name: lines[each.object.version_id] for name, each in puts.items()}
    assert by_name["sound.csv"].decision == "accepted" and by_name["partly.csv"].decision == "partly_accepted"
    refused = [name for name, line in by_name.items() if line.decision in ("refused", "undecided")]
    assert len(refused) >= 7, {name: line.decision for name, line in by_name.items()}
    called(lived, folder)
    return {
        **{each: str(folder / f"{each}.csv") for each in ("sound", "names", "nowhere")},
        "failing": str(folder / "fails.csv"),
        "request": str(folder / "sound.csv"),
        "contract": str(stack.settings.principals_dir / "energy01" / "renewal_campaign.inbound.odcs.yaml"),
        "exchange": by_name["sound.csv"].id,
        "refused": by_name["fails.csv"].id,
        "object": f"s3://{stack.settings.bucket_exchange}/{puts['sound.csv'].object.key}",
        "who": people[4].email,
    }


def put(stack: Stack, folder: Path, name: str, content: bytes, flow: str = "renewal_campaign") -> Put:
    path = folder / name
    path.write_bytes(content)
    return stack.put(path, ("energy01", flow))


def called(lived: Lived, folder: Path) -> None:
    """The agents' platform exports calls with everybody; one line in three fails in some way."""
    calls = [Call(f"leak{n}", who.record, who.phone, note=who.note) for n, who in enumerate(lived.people)]
    wrong = [
        replace(each, record=who.iban, disposition=who.name, agent=who.email)
        for each, who in zip(calls[::3], lived.people, strict=False)
    ]
    objects, bucket = lived.stack.objects, lived.stack.settings.bucket_internal
    for name, lines in (("calls.csv", calls), ("wrong.csv", [*calls[1::3], *wrong]), ("fails.csv", wrong)):
        content = plants.call_log(lines, COLUMNS, Call.cells)
        key = f"energy01/internal/renewal_results/leaks-{name}"
        at = datetime.now(UTC)
        lived.stack.wait([Put(objects.put(bucket, key, content, "text/csv"), at)])


def say(lived: Lived, house: House, at: dict[str, str]) -> None:
    """Every verb, and some or all of what else it may be told; what it says, and with which message it would end."""
    runner, folder = CliRunner(), Path(at["sound"]).parent
    opened = said_by(lived, runner, ("case", "open", "--right", "access", "--by", "anna", "--identifier",
                                     f"phone:{lived.people[5].phone}", "--format", "json"))  # fmt: skip
    at["case"] = json.loads(opened)["case"]
    said, names, first = list(verbs(lived.people, folder, at)), names_of_verbs(), dict[tuple[str, ...], Sequence[str]]()
    for words in said:
        first.setdefault(words[:2] if words[:2] in names else words[:1], words)
    kept = {*map(tuple, first.values()), *chosen(said, len(said) // 6)}
    for words in said:
        if words in kept:
            said_by(lived, runner, words)
    lived.verbs = len(names & set(first))
    assert lived.verbs == len(names) - len(NOT_SAID)


def said_by(lived: Lived, runner: CliRunner, words: Sequence[str]) -> str:
    """One command, as ``main`` lets it end."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(lived.stack.var).items():
            patch.setenv(name, value)
        patch.setenv("SLUICE_VAR", str(lived.stack.var))
        get_settings.cache_clear()
        done = runner.invoke(app, words)
    get_settings.cache_clear()
    error = done.exception
    end = str(error) if isinstance(error, SluiceError) else f"SLU-000 {place_of(error)}" if error else ""
    lived.said.append(Source(f"command {' '.join(words[:2])}", f"{done.output}\n{end}".encode()))
    return done.stdout


def names_of_verbs() -> set[tuple[str, ...]]:
    """Every verb of the command."""
    found: set[tuple[str, ...]] = set()
    for name, group in get_command(app).commands.items():
        found |= {(name, verb) for verb in group.commands} if hasattr(group, "commands") else {(name,)}
    return found


def look(lived: Lived, at: dict[str, str]) -> None:
    """Ask for the pages and the API, also for what they refuse."""
    api = Api(lived.stack)
    server, token = api.server, api.token
    ids = [f"exchanges/{at['exchange']}", f"exchanges/{at['refused']}", f"cases/{at['case']}"]
    for root in ("/sluice/pages", "/sluice/api/v1"):
        for page in (*PAGES, *ids):
            answer = server.ask("GET", f"{root}/{page}", token=token)
            lived.said.append(Source(f"http {root}", f"{answer.headers} {answer.text}".encode()))
    body = {"right": lived.people[6].name, "identifiers": [{"kind": "phone", "value": lived.people[6].iban}]}
    answer = server.ask("POST", "/sluice/api/v1/cases", body, token)
    lived.said.append(Source("http refused", f"{answer.headers} {answer.text}".encode()))


def write(lived: Lived, house: House) -> None:
    """Send the mails that are due."""
    settings = house.settings.model_copy(
        update={"smtp_url": SecretStr(f"smtp://localhost:{lived.office.port}"), "mail_from": "desk@center.example"}
    )
    send_mails(replace(house, settings=settings), datetime.now(UTC))


def run_dags(lived: Lived) -> None:
    """Every DAG once more by hand; one of each kind where time is short, for the others run by themselves."""
    api = Api(lived.stack)
    found = [each["dag_id"] for each in api.call("GET", "/dags?limit=100&tags=sluice")["dags"]]
    asked = found if LONG else ["dial_list", "case_clock"]
    given = {"dial_list": {"principal": "energy01", "flow": "renewal_campaign", "purpose": "P-RENEW"}}
    runs = {name: api.run(name, given.get(name)) for name in asked}
    deadline = time.monotonic() + 300
    for name, run in runs.items():
        while api.state(name, run) is None:
            assert time.monotonic() < deadline, name
            lived.remotes += remotes_of(lived.stack)
            time.sleep(0.5)
    lived.dags = len(runs)


def remotes_of(stack: Stack) -> Iterator[str]:
    """Addresses that any process of the installation is connected to now."""
    standing = keeper.read_standing(stack.var)
    assert standing is not None
    for process in psutil.Process(standing.keeper.pid).children(recursive=True):
        with suppress(psutil.Error):  # tasks come and go
            yield from (each.raddr.ip for each in process.net_connections() if each.raddr)


def test_two_hundred_canaries_are_in_lake_and_quarantine_and_nowhere_else(
    lived: Lived, record_property: Record
) -> None:
    searcher = lived.searcher
    with open_house(lived.stack.settings) as house:
        report = scan(lived.sources(), searcher, [age_opener(house.keyring, "energy01")])

    assert {channel: sorted(found) for channel, found in report.leaks.items()} == {}
    canaries = sum(len(who.canaries) for who in lived.people)
    kept = len(report.kept_in("lake", "vault"))
    assert kept == canaries == 200, "the control: each is where it belongs, whatever lies in the exchange bucket"
    record_property("S-01 seed", int(lived.since))
    record_property(
        "S-01 canaries outside lake and quarantine",
        f"0 of {canaries} ({searcher.count:,} needles in {len(report.channels)} channels, {report.sources:,} sources, "
        f"{report.size_bytes / 1e6:.0f} MB); in them {kept} of {canaries}; {lived.verbs} verbs, "
        f"{lived.dags} DAGs by hand",
    )


def test_a_twin_that_leaks_is_found_by_fifteen_channels_and_the_door_of_our_operators_lets_nothing_out(
    lived: Lived, record_property: Record
) -> None:
    """Both run on the real executor. Whoever writes carelessly is seen; whoever dies behind our door says a code."""
    stack, names = lived.stack, [*twin.CHANNELS, *twin.BY_AIRFLOW]
    strangers = draw(int(lived.since) + 1, len(names) + 1)
    values = [who.email for who in strangers]
    encode = list(QUOTED.values())
    texts = {name: encode[n % len(encode)](values[n]) for n, name in enumerate(names)}
    run_doomed(lived, texts | {"forced": values[-1]})
    try:
        report = scan(lived.sources(), Searcher([value] for value in values))
    finally:
        tidy(lived)

    found = [name for n, name in enumerate(names) if is_seen(report, name, n)]
    forced = [channel for channel, who in report.leaks.items() if len(names) in who]
    assert len(names) == 18 and forced == []
    assert len(found) >= 15, sorted(set(names) - set(found))
    assert sum(b"SLU-" in path.read_bytes() for path in (stack.var / "logs").rglob("dag_id=forced/**/*.log")) == 7
    record_property("S-01 control: channels of the leaky twin that are found", f"{len(found)} of {len(names)}")
    record_property("S-01 forced exceptions behind the operators' door", "0 of 7 tell a value")


def test_no_process_is_connected_to_another_machine_while_dags_run(lived: Lived, record_property: Record) -> None:
    """S-23: that connections are seen at all, those to stores on this machine show."""
    assert len(lived.remotes) > 10 and {*lived.remotes} <= {"127.0.0.1", "::1"}
    record_property("S-23 connections of an installation at work to other machines", f"0 of {len(lived.remotes)} seen")


def is_seen(report: Report, name: str, number: int) -> bool:
    return any(number in who for channel, who in report.leaks.items() if channel.startswith(SEEN_IN[name]))


def run_doomed(lived: Lived, texts: dict[str, str]) -> None:
    """The DAGs of the tests, in a process of their own that has the executor."""
    stack = lived.stack
    server = postgres.find(stack.var)
    named = stack.settings
    assert server is not None and named.s3_endpoint and named.s3_access_key and named.s3_secret_key
    place = twin.Place(
        str(stack.var), server.admin_url, named.s3_endpoint, named.s3_access_key.get_secret_value(),
        named.s3_secret_key.get_secret_value(), named.bucket_exchange, airflow.address(stack.var), lived.office.port,
        texts,
    )  # fmt: skip
    dsn = server.airflow_url.replace("postgresql://", "postgresql+psycopg://", 1)
    env = airflow.environment(CHECKOUT, stack.var, dsn, environment(stack.var)) | {
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "PYTHONPATH": os.pathsep.join((str(DAGS.parents[1]), str(CHECKOUT / "include"))),
        twin.PLACE: json.dumps(asdict(place)),
    }
    conf = json.dumps({"who": texts["run conf"], "shown": texts["rendered field"]})
    command = [sys.executable, "-m", "leaks.run_dags", str(DAGS), conf, "forced", "leaky_twin"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert "forced failed" in done.stdout and "leaky_twin failed" in done.stdout, done.stdout + done.stderr


def tidy(lived: Lived) -> None:
    """What the twin left goes, so that the next journeys find an installation of ours."""
    stack, client = lived.stack, client_of(lived.stack.settings)
    for item in stack.objects.list_versions(stack.settings.bucket_exchange, twin.PREFIX):
        client.delete_object(Bucket=item.bucket, Key=item.key, VersionId=item.version_id)
    (stack.var / "lineage" / "leaky_twin.ndjson").unlink(missing_ok=True)
    server = postgres.find(stack.var)
    assert server is not None
    with closing(psycopg.connect(server.admin_url, autocommit=True)) as conn:
        conn.execute(f"drop table if exists {twin.TABLE}".encode())
