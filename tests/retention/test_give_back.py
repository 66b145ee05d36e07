"""An ended agreement's data goes back to its principal as it is now, once, with its receipt; then it is deleted."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pysequoia import Tsk

from retention.keeping import at_night
from returns.commands import at_terminal, sluice
from returns.test_roles import GAP
from rights.asking import asked
from sluice.agreement.in_force.activate import activate_all
from sluice.db import connect
from sluice.errors import Ref, StoreError
from sluice.exchange.effects.run import EFFECTS
from sluice.exchange.house import House
from sluice.exchange.persons.corrections import RightValue, correct
from sluice.exchange.persons.suppressed import keep_out, lift
from sluice.exchange.stops import resume_flow, stop_flow
from sluice.ledger.verify import verify
from sluice.retention.give_back import GivenBack, give_back, give_back_due
from sluice.retention.model import RetentionRefused
from sluice.retention.run import retain
from sluice.returns.give_back import FlowGiven, Standing
from sluice.returns.release import release
from sluice.rights.copies.bench import open_bench
from sluice.rights.copies.copy_store import find_copies
from sluice.rights.copies.linked import WENT_OUT
from sluice.rights.copies.model import Target
from sluice.rights.copies.stores import store_of
from sluice.rights.erasure.erase import run
from sluice.settings import Settings
from sluice.subject.refs import refer
from sluice.subject.suppression import Suppression
from sluice.terms import ExchangeId, Flow, Principal, SubjectKind
from sluice.times import brussels_today
from support.crash import dying
from support.effort import effort
from support.meanwhile import Meanwhile
from support.night import AGREEMENT, AT_ONCE, RESULTS, Call, Edit, Night, change, open_night, with_papers

ENERGY = Principal("energy01")
TODAY = brussels_today()
END = TODAY + timedelta(days=3)
BEFORE = datetime.now(UTC) - timedelta(days=4)
"""The papers held when the contacts of a test were made."""
POINTS = effort(2, 40)
BESIDE = ("odcs.yaml", "receipt.json", "receipt.pdf", "roles.json")


@contextmanager
def ending(
    settings: Settings, folder: Path, *edits: Edit, contacts: int = 12, known_since: datetime | None = None
) -> Iterator[Night]:
    """Contacts of energy01 accepted; its agreement ends in three days and wants its data back."""
    ends = Edit(AGREEMENT, "validTo: null\ndocument", f"validTo: {END}\ndocument")
    wants = Edit(AGREEMENT, "g_end: {choice: delete", "g_end: {choice: return")
    longer = settings.model_copy(update={"keep_arrived_days": 60})  # a test delivers before its day
    with open_night(with_papers(longer, folder, ends, wants, *edits), folder, contacts, known_since) as night:
        yield night


def ref_of(night: Night, value: str, kind: SubjectKind = SubjectKind.PRINCIPAL_CUSTOMER_ID) -> str:
    return refer(night.desk.house.subject_key(ENERGY), kind, value).ref or ""


def kept_out(
    night: Night, value: str, reason: Suppression, kind: SubjectKind = SubjectKind.PRINCIPAL_CUSTOMER_ID
) -> str:
    refs = frozenset({ref_of(night, value, kind)})
    return keep_out(night.desk.house, ENERGY, refs, reason, cause=value, case_id=None, now=datetime.now(UTC))


def corrected(night: Night, record: str, name: str, value: str) -> None:
    """Have a value of a person corrected (GDPR Art. 16)."""
    case_id, refs, now = "3f0d6a52-1c67-4b6e-9a0b-0f5a3c1d7e42", frozenset({ref_of(night, record)}), datetime.now(UTC)
    correct(night.desk.house, ENERGY, case_id, refs, RightValue(name, value, now, False, record), now)


def give(night: Night, day: date = END + timedelta(days=1)) -> GivenBack:
    return give_back(night.desk.house, ENERGY, at_night(day), "an")


def files(night: Night) -> dict[str, bytes]:
    """Files that were given back, as the principal sees them; each with all that explains it, in one version."""
    bucket, found = night.desk.settings.bucket_exchange, {}
    items = list(night.desk.house.objects.list_versions(bucket, "energy01/outbound/"))
    keys = [item.key for item in items]
    assert len(keys) == len(set(keys)), "nothing twice"
    for item in items:
        if "_given_back_" in item.key and not item.key.endswith(BESIDE):
            assert all(f"{item.key}.{name}" in keys for name in BESIDE)
            found[item.key.rpartition("/")[2]] = night.desk.house.objects.read(bucket, item.key)
    return found


def entries(night: Night, kind: str) -> list[dict[str, object]]:
    rows = night.desk.sql(f"select convert_from(body, 'UTF8') as body from ledger.entry where kind = '{kind}'")
    return [json.loads(str(row["body"])) for row in rows]


def lake_rows(night: Night) -> int:
    return sum(
        int(str(row["rows"])) for row in night.desk.sql("select rows from copy where kind = 'lake' and gone_at is null")
    )


def rows_of(night: Night, value: str, kind: SubjectKind = SubjectKind.PRINCIPAL_CUSTOMER_ID) -> list[int]:
    """Rows that name a person in each copy of what was given back."""
    house = night.desk.house
    key, refs = house.subject_key(ENERGY), frozenset({ref_of(night, value, kind)})
    with open_bench(house, Target(ENERGY, key, refs, (value,), frozenset())) as bench:
        copies = [copy for copy in find_copies(house.conn, ENERGY) if copy.kind in WENT_OUT]
        return [store_of(copy).find(bench, copy) for copy in copies]


def test_what_is_there_goes_back_as_it_is_now_and_only_then_is_deleted(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ending(store_settings, tmp_path, AT_ONCE) as night:
        house = night.desk.house
        (wrong, _), (objector, _), (restricted, _) = night.people(3)
        corrected(night, wrong, "street", "Rechtzettingsplein 1")
        kept_out(night, objector, Suppression.OBJECTED)
        run_id = kept_out(night, restricted, Suppression.RESTRICTED)
        with pytest.raises(RetentionRefused, match="AGREEMENT_IN_FORCE"):
            give(night, END)

        first = give(night)
        assert [flow.standing for flow in first.flows] == [Standing.WAITS_FOR_PERSONS]
        assert dict(first.flows[0].held) == {"objected": 1, "restricted": 1} and not first.is_confirmed
        due = END + timedelta(days=30)
        assert retain(house, at_night(due)).waiting >= 1 and lake_rows(night) == 12, "control: nothing is deleted yet"
        assert give(night).flows[0].exchange_id == first.flows[0].exchange_id, "nothing changed, so nothing goes again"

        lift(house, run_id, datetime.now(UTC), "an")
        with at_terminal(night.desk, monkeypatch):
            assert sluice("retention", "give-back", ENERGY).error == "SLU-595", "today it is still in force"
        assert give_back_due(house, at_night(due)) == (1, 0)
        assert give_back_due(house, at_night(due)) == (0, 0), "it waits for nothing any more"
        [flow] = give(night).flows
        assert (flow.standing, flow.rows, dict(flow.held)) == (Standing.GIVEN, 11, {"objected": 1})

        name = f"renewal_campaign_given_back_{END}"
        assert sorted(files(night)) == [f"{name}.csv", f"{name}_2.csv"]
        given = pl.read_csv(io.BytesIO(files(night)[f"{name}_2.csv"]), separator=";", infer_schema=False)
        sent = pl.read_csv(night.contacts, separator=";", infer_schema=False)
        expected = sent.filter(pl.col("customer_number") != objector).with_columns(
            street=pl.when(pl.col("customer_number") == wrong).then(pl.lit("Rechtzettingsplein 1")).otherwise("street")
        )
        given = given.select(pl.all().str.strip_prefix("'"))  # what a spreadsheet would run
        assert given.select(expected.columns).sort("customer_number").equals(expected.sort("customer_number"))
        record = night.record(next(line for line in night.desk.lines() if line.id == flow.exchange_id))
        assert [purpose.code for purpose in record.why.purposes] == ["CONTRACT-END"]
        assert record.who.recipients == (ENERGY,) and record.what.rows_in == 12
        assert [body["reference"] for body in entries(night, "return.confirmed")] == ["GIVEN-BACK"]

        assert rows_of(night, wrong) == [1] * 4, "an erasure finds the person in what went back, kept and delivered"

        assert retain(house, at_night(due)).waiting == 0 and lake_rows(night) == 0
        assert sorted(files(night)) == [f"{name}.csv", f"{name}_2.csv"], "what was given back stays for its own days"
        retain(house, at_night(due + timedelta(days=house.settings.keep_arrived_days + 1)))
        assert files(night) == {}
        assert verify(house.conn, public_pem=house.keyring.public_pem).valid


def test_what_came_under_an_older_contract_goes_back_as_the_last_one_writes_it(
    store_settings: Settings, tmp_path: Path
) -> None:
    with ending(store_settings, tmp_path, AT_ONCE) as night:
        papers = night.desk.settings.principals_dir / ENERGY / "renewal_campaign.inbound.odcs.yaml"
        change(papers, "version: 1.0.0", "version: 1.1.0")
        for name in ("birth_date", "contract_end_date"):
            column = f"{name}\n        logicalType: date\n        logicalTypeOptions: {{format: %s}}"
            change(papers, column % "dd/MM/yyyy", column % "MM/dd/yyyy")
        for done in activate_all(night.desk.house.conn, night.desk.settings.principals_dir, datetime.now(UTC)):
            assert not done.is_refused, done.problems

        give(night)

        [content] = files(night).values()
        given = pl.read_csv(io.BytesIO(content), separator=";", infer_schema=False).sort("customer_number")
        sent = pl.read_csv(night.contacts, separator=";", infer_schema=False).sort("customer_number")
        for name in ("birth_date", "contract_end_date"):
            assert given[name].str.to_date("%m/%d/%Y").equals(sent[name].str.to_date("%d/%m/%Y")), name


def test_where_two_persons_release_a_second_one_lets_it_go_and_the_form_can_be_chosen(
    store_settings: Settings, tmp_path: Path
) -> None:
    with ending(store_settings, tmp_path) as night:
        house, day = night.desk.house, at_night(END + timedelta(days=1))
        [flow] = give_back(house, ENERGY, day, "an", form="parquet").flows
        assert flow.standing is Standing.WAITS_FOR_RELEASE and files(night) == {}
        (somebody, _), *_ = night.people(1)
        run_id = kept_out(night, somebody, Suppression.SOFT_HOLD)
        release(house, str(flow.exchange_id), "bert", datetime.now(UTC))
        [stale] = give_back(house, ENERGY, day, "an", form="parquet").flows
        assert (stale.standing, stale.reason_code, files(night)) == (Standing.REFUSED, "STALE_PERSONS", {})

        lift(house, run_id, datetime.now(UTC), "an")
        [flow] = give_back(house, ENERGY, day, "an", form="parquet").flows
        assert flow.standing is Standing.WAITS_FOR_RELEASE
        release(house, str(flow.exchange_id), "bert", datetime.now(UTC))
        [flow] = give_back(house, ENERGY, day, "an", form="parquet").flows
        assert flow.standing is Standing.GIVEN
        [(name, content)] = files(night).items()
        assert name.endswith("_2.parquet") or name.endswith(".parquet")
        assert pl.read_parquet(io.BytesIO(content)).height == 12
        bare = "energy01/outbound/renewal_campaign/x_given_back_1.csv"
        night.desk.house.objects.put(night.desk.settings.bucket_exchange, bare, b"x", "text/csv")
        with pytest.raises(AssertionError):
            files(night)  # the control: one without what explains it is seen


def keeping(house: House, days: int) -> House:
    """The same house, as if so many days more or less had passed: what is delivered stays so long from today."""
    return replace(house, settings=house.settings.model_copy(update={"keep_arrived_days": days}))


def away(_: House, exchange_id: ExchangeId) -> None:
    raise StoreError(Ref("exchange", exchange_id))


def last_days(night: Night, flow: FlowGiven) -> dict[object, int]:
    """Of the copies that are there by kind, in how many days from today."""
    rows = night.desk.sql(
        f"select kind, delete_after from copy where exchange_id = '{flow.exchange_id}' and gone_at is null"
    )
    return {row["kind"]: (date.fromisoformat(str(row["delete_after"])) - TODAY).days for row in rows}


def test_sealed_to_its_principal_it_is_known_who_is_in_it_as_it_goes_and_as_long_as_it_is_there(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = Tsk.generate("exchange@energy01.example").extract_certificate()
    pin = f"pgpKey: {{file: returns.asc, fingerprint: {certificate.fingerprint.upper()}}}"
    (tmp_path / "principals" / ENERGY).mkdir(parents=True)
    (tmp_path / "principals" / ENERGY / "returns.asc").write_bytes(bytes(certificate))
    with ending(store_settings, tmp_path, Edit(AGREEMENT, "pgpKey: null", pin), contacts=6) as night:
        house, day = night.desk.house, at_night(END + timedelta(days=1))
        (moved, _), (objector, _), (leaver, phone) = night.people(3)
        corrected(night, moved, "phone", "+32470123401")
        corrected(night, objector, "phone", "+32470123402")
        kept_out(night, "+32470123402", Suppression.OBJECTED, SubjectKind.PHONE)
        assert give_back(house, ENERGY, day, "an").flows[0].standing is Standing.WAITS_FOR_RELEASE

        case = asked(night, phone, leaver)
        with monkeypatch.context() as patched:
            patched.setattr("sluice.rights.erasure.erase.remake_prepared", lambda *_: None)
            control = run(house, case.case_id, datetime.now(UTC))
            assert control.residual + control.doubts > 0, "what lies prepared names the leaver, and nobody can open it"
        report = run(house, case.case_id, datetime.now(UTC))
        assert (report.residual, report.doubts) == (0, 0), "it ended, and is no more"

        [flow] = give_back(house, ENERGY, day, "an").flows
        release(house, str(flow.exchange_id), "bert", datetime.now(UTC))
        with monkeypatch.context() as patched:
            patched.setitem(EFFECTS, "delivery", away)
            [flow] = give_back(keeping(house, 90), ENERGY, day, "an").flows  # days after it was made
            assert flow.standing is Standing.UNDER_WAY
        house.conn.execute("update outbox set next_attempt_at = now() where done_at is null")
        [flow] = give_back(keeping(house, 100), ENERGY, day, "an").flows  # days after it was released
        assert (flow.standing, flow.rows, dict(flow.held)) == (Standing.GIVEN, 4, {"objected": 1})
        assert last_days(night, flow) == {"delivered": 100, "index": 90, "return": 90}
        assert rows_of(night, "+32470123401", SubjectKind.PHONE) == [1, 1], "by the number that went"
        assert rows_of(night, phone, SubjectKind.PHONE) == [0, 0], "control: the leaver is in neither"

        retain(house, at_night(TODAY + timedelta(days=91)))
        assert set(last_days(night, flow)) == {"delivered", "index"}, "who is in it is known while it is there"
        assert rows_of(night, "+32470123401", SubjectKind.PHONE) == [1]
        retain(house, at_night(TODAY + timedelta(days=101)))
        assert last_days(night, flow) == {}


def test_results_that_no_return_brought_go_back_as_that_return_before_anything_is_deleted(
    store_settings: Settings, tmp_path: Path
) -> None:
    """Nobody made the return of the day while the agreement held, as it is of the last day of one.

    Its own rule does not end the file of results before: that waits for nothing.
    """
    month = 'duration: P1M, statute: "recordings for quality: one calendar month"'
    longer = Edit(AGREEMENT, month, "duration: P3M, statute: null")
    with ending(store_settings, tmp_path, longer, known_since=BEFORE) as night:
        house, (person, phone) = night.desk.house, night.people(1)[0]
        night.called(Call("c1", person, phone))
        contacts, results = give(night).flows
        assert (results.flow, contacts.standing, results.standing) == (RESULTS, *2 * [Standing.WAITS_FOR_RELEASE])
        release(house, str(contacts.exchange_id), "bert", datetime.now(UTC))

        done = give(night)

        assert [flow.standing for flow in done.flows] == [Standing.GIVEN, Standing.WAITS_FOR_RELEASE]
        late = END + timedelta(days=40)
        assert retain(house, at_night(late)).waiting and lake_rows(night) == 13, "control: nothing is deleted yet"
        release(house, str(results.exchange_id), "bert", datetime.now(UTC))
        assert give_back_due(house, at_night(late)) == (1, 0)
        [line] = night.returns()
        row = pl.read_csv(night.file(line), separator=";", infer_schema=False).to_dicts()[0]
        assert (row["customer_number"], row["disposition"]) == (person, "Sale")
        why = night.record(line).why
        assert (why.agreement_id, why.purposes != ()) == (done.agreement.agreement_id, True)
        assert rows_of(night, person) == [1] * 4, "an erasure finds the person in the return too"
        assert retain(house, at_night(late)).waiting == 0 and lake_rows(night) == 0
        assert night.file(line), "it stays for its own days, as what else goes back"
        retain(house, at_night(late + timedelta(days=house.settings.keep_arrived_days + 1)))
        assert night.delivered().keys() <= {key for key in night.delivered() if key.endswith(BESIDE)}


def test_what_cannot_go_and_what_is_still_judged_keep_it_from_being_confirmed(
    store_settings: Settings, tmp_path: Path
) -> None:
    with ending(store_settings, tmp_path, AT_ONCE, GAP, known_since=BEFORE) as night:
        night.called(Call("c1", *night.people(1)[0]))
        for _ in range(2):
            done = give(night)
            contacts, results = done.flows
            assert (contacts.standing, results.standing) == (Standing.GIVEN, Standing.REFUSED)
            assert results.reason_code == "FORBIDDEN_CONTRACT_GAP" and not done.is_confirmed
        assert len(night.returns()) == 1, "the same is refused once"

        night.desk.sql("update copy set gone_at = now() where kind = 'lake' returning 1")
        night.desk.drop(night.contacts.read_bytes() + b"\n", "late.csv")
        night.desk.open_new()
        done = give(night)
        assert [flow.standing for flow in done.flows] == [Standing.WAITS_FOR_ARRIVALS] and not done.is_confirmed


def test_a_flow_that_is_stopped_while_it_is_given_back_says_so_and_goes_after_it_is_resumed(
    store_settings: Settings, tmp_path: Path
) -> None:
    with ending(store_settings, tmp_path, AT_ONCE) as night:
        house, now = night.desk.house, datetime.now(UTC)
        flow = Flow("renewal_campaign")

        def stop() -> None:
            with connect(night.desk.settings) as beside:
                stop_flow(beside, ENERGY, flow, "CONTRACT_WRONG", "an", now)

        objects: Any = Meanwhile(house.objects, lambda key: key.startswith("_returns/"), stop)
        done = give_back(replace(house, objects=objects), ENERGY, at_night(END + timedelta(days=1)), "an")
        assert [each.standing for each in done.flows] == [Standing.STOPPED] and not done.is_confirmed
        assert files(night) == {}

        resume_flow(house.conn, ENERGY, flow, "an", now)
        done = give(night)
        assert [each.standing for each in done.flows] == [Standing.GIVEN] and done.is_confirmed
        assert len(files(night)) == 1


@pytest.mark.timeout(900)
@pytest.mark.evidence
def test_killed_anywhere_a_rerun_gives_back_exactly_once(
    store_settings: Settings, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Each time another person is restricted, so that there is something to give again."""
    day, wrong = at_night(END + timedelta(days=1)), 0
    with ending(store_settings, tmp_path, AT_ONCE, contacts=POINTS + 3) as night:
        house, people = night.desk.house, [record for record, _ in night.people(POINTS + 1)]
        with dying(night.desk.settings, "give_back") as once:
            run_id = kept_out(night, people[0], Suppression.RESTRICTED)
            _, steps = once(day.isoformat(), 0)
            for number, person in enumerate(people[1:]):
                lift(house, run_id, datetime.now(UTC), "an")
                run_id = kept_out(night, person, Suppression.RESTRICTED)
                killed, _ = once(day.isoformat(), 2 + (steps - 4) * number // POINTS)
                assert killed
                files(night)  # nothing half visible, nothing twice
                house.conn.execute("update outbox set next_attempt_at = now() where done_at is null")
                give(night)
                wrong += len(files(night)) != number + 2
        lift(house, run_id, datetime.now(UTC), "an")
        assert give(night).is_confirmed
        rows = night.desk.sql(
            """select count(*) as n, count(*) filter (where decision in ('accepted', 'partly_accepted')) as good,
                   count(*) filter (where exists (select from outbox o where o.exchange_id = e.exchange_id
                       and o.done_at is null)) as owed
               from exchange e where direction = 'outbound_return'"""
        )
        assert rows == [{"n": POINTS + 2, "good": POINTS + 2, "owed": 0}]
        assert len(entries(night, "return.confirmed")) == 1
        assert len(files(night)) == POINTS + 2 and wrong == 0
        assert verify(house.conn, public_pem=house.keyring.public_pem).valid
    record_property(
        "SIGKILL while an ended agreement's data is given back: given once, with receipt, by a rerun",
        f"{POINTS - wrong} of {POINTS} ({steps} steps)",
    )
