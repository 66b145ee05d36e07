"""Every row of a staff file is accepted or refused by name; no message ever holds a value."""

from dataclasses import astuple
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from sluice.staff.model import Finding, Held, Judged, Kind, StaffFile
from sluice.staff.read import LARGEST_BYTES, read_table
from sluice.staff.refs import account_ref, agent_ref
from sluice.staff.rows import judge_rows
from sluice.staff.settle import settle

KEY = bytes(range(32))
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HEAD = "kind,agent,at,zone,version,whole,score,platform,account,grace_until,withdrawn\n"
GOOD = "exam,A-1,2026-11-24T10:00:00,Europe/Brussels,gdpr,yes,90,,,,\n"


def judge(text: str | bytes, source: str = "file") -> Judged:
    body = text.encode() if isinstance(text, str) else text
    return judge_rows(read_table(StaffFile(body, source)), KEY, NOW)


def codes(judged: Judged) -> list[tuple[str, str | None, int]]:
    return [(finding.code, finding.column, finding.row) for finding in judged.findings]


def test_one_row_of_each_kind_is_accepted() -> None:
    judged = judge(
        HEAD
        + "course,A-1,2026-11-23T10:00:00Z,,gdpr,yes,,,,,\n"
        + GOOD
        + "signature,A-1,2026-11-24T12:00+01:00,,coc-1,,,,,,\n"
        + "code_version,,2026-01-01T00:00,Europe/Brussels,coc-1,,,,,2026-02-01T00:00,\n"
        + "account,A-1,,,,,,five9,jan@center.example,,\n"
    )
    assert judged.findings == () and judged.rows_in == 5
    assert [row.kind for row in judged.accepted] == [*Kind]
    exam = judged.accepted[1].credential
    assert exam and exam.score == Decimal(90) and exam.happened_at == datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert exam.valid_until == datetime(2027, 11, 24, 9, tzinfo=UTC)


def test_no_agent_or_account_stays_in_an_accepted_row() -> None:
    judged = judge(HEAD + GOOD + "account,A-1,,,,,,five9,jan@center.example,,\n")
    assert "A-1" not in str(judged) and "jan@" not in str(judged)
    assert judged.accepted[0].agent_ref == agent_ref(KEY, "A-1")
    account = judged.accepted[1].account
    assert account and account.account_ref == account_ref(KEY, "five9", " jan@center.example")


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        ("holiday,A-1,2026-11-24T10:00Z,,,,,,,,", "VALUE_NOT_IN_SET", "kind"),
        (",A-1,2026-11-24T10:00Z,,,,,,,,", "VALUE_NULL", "kind"),
        ("exam,,2026-11-24T10:00Z,,gdpr,yes,90,,,,", "VALUE_NULL", "agent"),
        ("exam,=cmd(),2026-11-24T10:00Z,,gdpr,yes,90,,,,", "VALUE_PATTERN", "agent"),
        ("exam,A-1,,,gdpr,yes,90,,,,", "VALUE_NULL", "at"),
        ("exam,A-1,2026-11-24T10:00,,gdpr,yes,90,,,,", "VALUE_TIME_ZONE", "at"),
        ("exam,A-1,24/11/2026,Europe/Brussels,gdpr,yes,90,,,,", "VALUE_TIME_FORMAT", "at"),
        ("exam,A-1,2026-10-25T02:30,Europe/Brussels,gdpr,yes,90,,,,", "VALUE_TIME_AMBIGUOUS", "at"),
        ("exam,A-1,2026-03-29T02:30,Europe/Brussels,gdpr,yes,90,,,,", "VALUE_TIME_NONEXISTENT", "at"),
        ("exam,A-1,2026-11-25T12:00:00.000001Z,,gdpr,yes,90,,,,", "VALUE_TIME_FUTURE", "at"),
        ("exam,A-1,2026-11-24T10:00Z,,gdpr,,90,,,,", "VALUE_NULL", "whole"),
        ("exam,A-1,2026-11-24T10:00Z,,gdpr,maybe,90,,,,", "VALUE_NOT_IN_SET", "whole"),
        ("exam,A-1,2026-11-24T10:00Z,,gdpr,yes,,,,,", "VALUE_NULL", "score"),
        ("exam,A-1,2026-11-24T10:00Z,,gdpr,yes,90 %,,,,", "VALUE_PATTERN", "score"),
        ("exam,A-1,2026-11-24T10:00Z,,gdpr,yes,NaN,,,,", "VALUE_PATTERN", "score"),
        ("exam,A-1,2026-11-24T10:00Z,,gdpr,yes,89.999999,,,,", "VALUE_PATTERN", "score"),
        ("exam,A-1,2026-11-24T10:00Z,,gdpr,yes,100.01,,,,", "VALUE_RANGE", "score"),
        ("exam,A-1,2026-11-24T10:00Z,,gdpr,yes,90,,,,true", "VALUE_NOT_IN_SET", "withdrawn"),
        ("signature,A-1,2026-11-24T10:00Z,,,,,,,,", "VALUE_NULL", "version"),
        ("signature,A-1,2026-11-24T10:00Z,,coc-1,,95,,,,", "VALUE_NOT_NULL", "score"),
        ("account,A-1,,,,,,Five 9,x,,", "VALUE_PATTERN", "platform"),
        ("account,A-1,,,,,,five9,,,", "VALUE_NULL", "account"),
        ("code_version,,2026-02-01T00:00Z,,c,,,,,2026-02-01T00:00Z,", "VALUE_RANGE", "grace_until"),
        ("exam,A-1", "SHAPE_TOO_FEW_CELLS", None),
        ("exam,A-1,2026-11-24T10:00Z,,gdpr,yes,90,,,,,", "SHAPE_TOO_MANY_CELLS", None),
        (",,,,,,,,,,", "SHAPE_BLANK_RECORD", None),
        ("", "SHAPE_BLANK_RECORD", None),
    ],
)
def test_a_bad_row_is_refused_by_name_and_the_good_ones_are_kept(row: str, code: str, column: str | None) -> None:
    judged = judge(HEAD + GOOD + row + "\n" + GOOD)
    assert codes(judged) == [(code, column, 2)]
    assert (judged.rows_in, len(judged.accepted), judged.rows_refused) == (3, 2, 1)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "UNREADABLE_EMPTY_FILE"),
        (b"\xef\xbb\xbf\r\n", "UNREADABLE_EMPTY_FILE"),
        ("kind;agent\nexam;Andr\u00e9\n".encode("cp1252"), "ENCODING_INVALID_UTF8"),
        (b"kind,agent\0\n", "TEXT_NUL_BYTE"),
        (b'kind,agent\nexam,"A-1\n', "DIALECT_QUOTING"),
        (b"kind,agent,agent\n", "HEADER_DUPLICATE"),
        (b"kind,agent,shoe_size\n", "HEADER_UNDECLARED_COLUMN"),
        (b"agent,at\nA-1,x\n", "HEADER_MISSING_COLUMN"),
        (b"x" * (LARGEST_BYTES + 1), "LIMIT_FILE_SIZE"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(body: bytes, code: str) -> None:
    judged = judge(body)
    assert [(finding.code, finding.row) for finding in judged.findings] == [(code, 0)]
    assert judged.accepted == () and judged.rows_refused == judged.rows_in


def test_a_belgian_export_is_read_as_the_same_rows() -> None:
    belgian = "\ufeffkind;agent;at;version;whole;score\r\nexam;A-1;2026-11-24T10:00Z;gdpr;yes;89,99\r\n\r\n"
    plain = "kind,agent,at,version,whole,score\nexam,A-1,2026-11-24T10:00Z,gdpr,yes,89.99\n"
    assert judge(belgian) == judge(plain)


def test_json_of_an_e_learning_system_gives_the_same_rows_and_keeps_decimals_exact() -> None:
    text = """{"rows": [{"kind": "exam", "agent": "A-1", "at": "2026-11-24T10:00Z", "version": "gdpr",
               "whole": true, "score": 89.99}, {"kind": "signature", "agent": 7, "at": "2026-11-24T11:00Z",
               "version": "coc-1", "score": null}]}"""
    judged = judge(text, "e_learning")
    assert judged.findings == ()
    exam = judged.accepted[0].credential
    assert exam and exam.score == Decimal("89.99") and exam.whole


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"rows": [1]}', '{"rows": {}}', '{"rows": [{"score": NaN}]}', "[" * 100_000]
)
def test_json_of_another_form_is_refused(text: str) -> None:
    assert codes(judge(text, "e_learning")) == [("UNREADABLE_JSON", None, 0)]


def test_an_empty_answer_of_the_e_learning_system_is_no_fault() -> None:
    assert judge('{"rows": []}', "e_learning") == Judged(0, (), ())


def test_no_finding_holds_a_value() -> None:
    secret = "Peeters-Janssens"
    judged = judge(HEAD + f"{secret},{secret} x,{secret},{secret},{secret} x,{secret},{secret},{secret},,,{secret}\n")
    of_header = judge(f"kind,{secret}\nexam,x\n")
    assert judged.findings and of_header.findings
    assert secret not in str([astuple(finding) for finding in (*judged.findings, *of_header.findings)])


# --- held against what is recorded -------------------------------------------------------------------

CODE = "code_version,,2026-01-01T00:00Z,,coc-1,,,,,,"
ACCOUNT = "account,A-1,,,,,,five9,acc-1,,"


def held(*rows: str) -> Held:
    accepted = judge(HEAD + "\n".join(rows) + "\n").accepted
    stated = frozenset(row.identity for row in accepted)
    return Held(stated, frozenset(row.identity for row in accepted if row.withdrawn))


def settled(recorded: Held, *rows: str) -> list[tuple[str, str | None, int]]:
    judged = judge(HEAD + "\n".join(rows) + "\n")
    assert judged.findings == ()
    return codes(settle(judged, recorded))


@pytest.mark.parametrize(
    ("first", "second", "column"),
    [
        (CODE, "code_version,,2026-02-01T00:00Z,,coc-1,,,,,,", "version"),
        (CODE, "code_version,,2026-01-01T00:00Z,,coc-2,,,,,,", "version"),
        (ACCOUNT, "account,A-2,,,,,,five9,acc-1,,", "account"),
    ],
)
def test_a_contradiction_is_refused_in_one_file_and_across_files(first: str, second: str, column: str) -> None:
    assert settled(Held(), first, second) == [("DUPLICATE_VALUE", column, 2)]
    assert settled(held(first), second) == [("DUPLICATE_VALUE", column, 1)]
    assert settled(held(first), first) == []


def test_an_account_passes_to_another_agent_from_a_moment_on() -> None:
    assert settled(held(ACCOUNT), "account,A-2,2026-06-01T00:00Z,,,,,five9,acc-1,,") == []


def test_a_correction_takes_the_old_row_back_and_states_the_new_one_in_any_order() -> None:
    new = "code_version,,2026-02-01T00:00Z,,coc-1,,,,,,"
    assert settled(held(CODE), new, CODE + "yes") == []
    assert settled(held(CODE), CODE + "yes", new) == []


def test_a_withdrawal_of_nothing_is_refused_so_that_a_typing_error_shows() -> None:
    assert settled(held(GOOD.strip()), GOOD.strip().replace(",90,", ",91,") + "yes") == [
        ("VALUE_NOTHING_TO_WITHDRAW", "withdrawn", 1)
    ]
    assert settled(held(GOOD.strip()), GOOD.strip().replace(",90,", ",90.0,") + "yes") == []


def test_what_was_taken_back_does_not_come_back_with_the_next_export() -> None:
    recorded = held(GOOD.strip(), GOOD.strip() + "yes")
    assert settled(recorded, GOOD.strip()) == [("STALE_WITHDRAWN", None, 1)]
    assert settled(recorded, GOOD.strip(), GOOD.strip() + "yes") == []


def test_a_finding_can_be_missing() -> None:
    """The control: the same helper finds nothing in rows that agree."""
    assert settled(Held(), CODE, CODE, ACCOUNT) == []
    assert Finding("X", "x", None, 0) not in settle(judge(HEAD + GOOD), Held()).findings
