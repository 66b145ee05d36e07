"""``sluice receipt verify`` works with two files and a key, and answers people and programs."""

import json
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from typer.testing import CliRunner

from documents.samples import EXCHANGE
from documents.test_receipt import text_of
from sluice.cli.receipt import app
from sluice.errors import FileMissing, UsageError
from sluice.ledger.model import PublicKeyInvalid
from sluice.ledger.sign import key_id, read_public

HEAVY = {"typst", "babel", "psycopg", "boto3", "jsonschema", "polars", "airflow", "sluice.settings"}


@pytest.fixture
def folder(tmp_path, receipt, keyring):
    (tmp_path / "key.pem").write_bytes(keyring.public_pem)
    (tmp_path / "good.json").write_bytes(receipt.jws)
    (tmp_path / "good.pdf").write_bytes(receipt.pdf)
    (tmp_path / "alone.json").write_bytes(receipt.jws)
    (tmp_path / "swapped.json").write_bytes(receipt.jws)
    (tmp_path / "swapped.pdf").write_bytes(receipt.pdf + b" ")
    (tmp_path / "bad.json").write_bytes(receipt.jws.replace(b'"payload":"ey', b'"payload":"eY'))
    return tmp_path


def run(folder, *arguments, **more):
    return CliRunner().invoke(app, ["verify", *arguments, "--key", str(folder / "key.pem")], **more)


@pytest.mark.parametrize(("name", "pdf_checked"), [("good.json", True), ("good.pdf", True), ("alone.json", False)])
def test_a_good_receipt_exits_0_and_names_its_exchange(folder, name, pdf_checked):
    done = run(folder, str(folder / name), "--format", "json")

    assert done.exit_code == 0
    assert json.loads(done.stdout) == {
        "valid": True,
        "exchange": EXCHANGE,
        "entry_hash": "d1" * 32,
        "pdf_checked": pdf_checked,
        "key": key_id(read_public((folder / "key.pem").read_bytes())),
    }


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("bad.json", "payload not a canonical JSON object"),
        ("swapped.json", "the PDF is not the one of this receipt"),
        ("swapped.pdf", "the PDF is not the one of this receipt"),
    ],
)
def test_a_bad_receipt_exits_1_and_says_why(folder, name, why):
    done = run(folder, str(folder / name), "--format", "json")

    assert done.exit_code == 1
    answer = json.loads(done.stdout)
    assert (answer["valid"], answer["exchange"], answer["entry_hash"]) == (False, None, None)
    assert why.startswith(answer["why"]) or answer["why"].startswith("signature") or answer["why"] == why


def test_the_pdf_may_lie_elsewhere(folder):
    good = run(folder, str(folder / "alone.json"), "--pdf", str(folder / "good.pdf"), "--format", "json")
    bad = run(folder, str(folder / "good.json"), "--pdf", str(folder / "swapped.pdf"), "--format", "json")

    assert json.loads(good.stdout)["pdf_checked"]
    assert bad.exit_code == 1


@pytest.mark.parametrize("words", [["absent.json"], ["absent.pdf"], ["."], ["good.json", "--pdf", "absent.pdf"]])
def test_a_path_that_cannot_be_read_is_wrong_usage_and_says_nothing_of_the_receipt(folder, words, monkeypatch):
    """A script with a typing error must raise no alarm of a changed receipt."""
    monkeypatch.chdir(folder)
    done = run(folder, *words, "--format", "json")

    assert (type(done.exception), done.stdout) == (FileMissing, "")
    assert run(folder, "bad.json", "--format", "json").exit_code == 1, "control"


def test_of_a_pdf_whose_receipt_is_not_beside_it_that_is_what_is_missing(folder):
    (folder / "good.json").unlink()
    assert "the signed .json beside it" in str(run(folder, str(folder / "good.pdf")).exception)


def test_many_receipts_are_read_from_stdin_in_order(folder):
    paths = [str(folder / name) for name in ("good.json", "bad.json", "good.pdf")]

    done = run(folder, "-", input="\n".join(paths) + "\n")

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["file"], line["valid"]) for line in lines] == list(zip(paths, (True, False, True), strict=True))
    assert done.exit_code == 1
    beside = run(folder, "-", input="\n".join([*paths, str(folder / "none.json")]) + "\n")
    assert beside.exit_code == 1, "a typing error hides no receipt that does not hold"


@pytest.mark.parametrize("name", [b"x" * 256, b"x" * 256 + b".pdf", b"a\0b", b"a\xffb", b""])
def test_a_name_that_no_file_can_have_is_that_line_s_answer_and_the_rest_goes_on(folder, name):
    done = run(folder, "-", input=b"\n".join((name, str(folder / "good.json").encode())) + b"\n")

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["valid"] for line in lines] == [None, True]
    assert (lines[0]["error"]["code"], lines[0]["exchange"], lines[0]["entry_hash"]) == ("SLU-305", None, None)
    assert done.exit_code == 2


def test_the_key_is_named_as_the_page_of_the_receipt_names_it(folder, receipt):
    """A receipt and its page tell everybody to compare the fingerprint of the key: so it has to be shown."""
    answers = [run(folder, str(folder / name), "--format", "json") for name in ("good.json", "good.pdf", "bad.json")]
    [named] = {json.loads(each.stdout)["key"] for each in answers}

    assert named in "".join(text_of(receipt.pdf).split())
    assert named in run(folder, str(folder / "good.json")).stdout
    assert named in run(folder, str(folder / "bad.json")).stdout
    stranger = Ed25519PrivateKey.generate().public_key()
    (folder / "key.pem").write_bytes(stranger.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    other = json.loads(run(folder, str(folder / "good.json"), "--format", "json").stdout)
    assert (other["valid"], other["key"] in (None, named)) == (False, False)


def test_people_get_a_table(folder):
    assert "The receipt holds" in run(folder, str(folder / "good.json")).stdout
    assert "The receipt does NOT hold" in run(folder, str(folder / "swapped.json")).stdout


def test_a_key_that_is_none_is_wrong_usage(folder):
    (folder / "key.pem").write_text("nothing")
    assert isinstance(run(folder, str(folder / "good.json")).exception, PublicKeyInvalid)

    (folder / "key.pem").unlink()
    assert isinstance(run(folder, str(folder / "good.json")).exception, UsageError)


def test_nothing_heavy_is_loaded(folder):
    """Start-up is most of the time of the command; it needs neither settings nor services."""
    arguments = ["verify", str(folder / "good.json"), "--key", str(folder / "key.pem")]
    program = (
        "import sys; from sluice.cli.receipt import app\n"
        f"try: app({arguments!r})\n"
        "except SystemExit as done: print(done.code, *sorted(m for m in sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    code, *modules = done.stdout.splitlines()[-1].split()
    assert code == "0"
    assert HEAVY & set(modules) == set()
