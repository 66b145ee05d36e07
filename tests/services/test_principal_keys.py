"""A principal's key for the embedded S3: given without a restart, taken away for good, given anew."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from pydantic import SecretStr
from typer.testing import CliRunner

from sluice.cli import principal as command
from sluice.errors import NotFound
from sluice.services import buckets, plan, seaweed, stack
from sluice.services.model import Credential
from sluice.services.process import wait_until
from sluice.settings import Settings, get_settings
from support.stores import CHECKOUT, guarded_var, s3_client

pytestmark = pytest.mark.stores
KEY = "{}/inbound/flow/x"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A store of its own, which knows nobody, and the papers of principals: each test has its own."""
    with guarded_var() as var:
        yield a_store(var, tmp_path_factory.mktemp("papers"))


def a_store(var: Path, papers: Path) -> Settings:
    for name in ("energy01", "bank01", "telco01", "telecom01", "water01"):
        shutil.copytree(CHECKOUT / "include" / "principals" / name, papers / name)
    server = seaweed.start(var)
    made = Settings(
        var=var,
        principals_dir=papers,
        s3_endpoint=server.endpoint,
        s3_access_key=SecretStr(server.access_key),
        s3_secret_key=SecretStr(server.secret_key),
    )
    buckets.make_buckets(made, embedded=True)
    return made


@pytest.fixture(scope="module")
def drops(settings: Settings) -> Callable[[str, Credential], str]:
    """What the store answers to a principal that drops a file."""

    def drop(name: str, key: Credential) -> str:
        s3 = s3_client(str(settings.s3_endpoint), key.access_key, key.secret_key)
        try:
            s3.put_object(Bucket=settings.bucket_exchange, Key=KEY.format(name), Body=b"1")
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "done"

    return drop


def is_soon(answer: Callable[[], str], wanted: str) -> bool:
    """Wait until the server has read its identities again, which it does within a second."""
    return wait_until(lambda: answer() == wanted, 60)


@pytest.mark.usefixtures("fresh_settings")
def test_the_command_says_what_it_did(settings: Settings) -> None:
    """The first of this store: who is given a key has the others' made as well."""
    env = {
        "SLUICE_VAR": str(settings.var),
        "SLUICE_PRINCIPALS_DIR": str(settings.principals_dir),
    }
    plan.write_env(settings.var, None, seaweed.find(settings.var))

    def run(*words: str) -> tuple[int, str, str]:
        get_settings.cache_clear()
        done = CliRunner().invoke(command.app, ["credential", "water01", *words], env=env)
        return done.exit_code, done.stdout, done.stderr

    code, lines, told = run()
    assert code == 0 and "export AWS_ACCESS_KEY_ID=water01-" in lines and "a new key was made" in told
    assert run() == (0, lines, "")
    assert run("--revoke", "--format", "json")[:2] == (0, '{"principal": "water01", "revoked": true}\n')
    assert run("--revoke")[0] != 0
    code, again, told = run()
    assert code == 0 and again != lines and "a new key was made" in told


def test_who_has_an_agreement_is_given_a_key_without_a_restart(
    settings: Settings, drops: Callable[[str, Credential], str]
) -> None:
    key = stack.give_key(settings, "energy01")

    assert is_soon(lambda: drops("energy01", key), "done")
    assert stack.give_key(settings, "energy01") == key
    assert drops("bank01", key) == "AccessDenied"  # the control
    for stranger in ("nobody01", "../energy01"):
        with pytest.raises(NotFound):
            stack.give_key(settings, stranger)


def test_a_key_can_be_taken_from_one_whose_papers_are_gone(
    settings: Settings, drops: Callable[[str, Credential], str]
) -> None:
    key = stack.give_key(settings, "telecom01")
    assert is_soon(lambda: drops("telecom01", key), "done")
    shutil.rmtree(settings.principals_dir / "telecom01")

    stack.take_key(settings, "telecom01")

    assert is_soon(lambda: drops("telecom01", key), "InvalidAccessKeyId")


def test_a_store_that_is_given_is_left_alone(settings: Settings) -> None:
    stack.give_key(settings, "telco01")
    stack.take_key(settings, "bank01")
    given = settings.model_copy(update={"s3_endpoint": "aws"})
    with pytest.raises(NotFound):
        stack.take_key(given, "telco01")
    with pytest.raises(NotFound):
        stack.give_key(given, "bank01")
    stack.give_key(settings, "bank01")  # the control
    stack.take_key(settings, "telco01")


def test_a_key_that_was_taken_away_opens_nothing_and_stays_away(
    settings: Settings, drops: Callable[[str, Credential], str]
) -> None:
    old, other = (stack.give_key(settings, name) for name in ("energy01", "bank01"))
    assert is_soon(lambda: drops("energy01", old), "done")

    stack.take_key(settings, "energy01")

    assert is_soon(lambda: drops("energy01", old), "InvalidAccessKeyId")
    assert drops("bank01", other) == "done"
    with pytest.raises(NotFound):
        stack.take_key(settings, "energy01")
    seaweed.write_identities(settings.var, settings.bucket_exchange, ("bank01", "energy01"))  # as `sluice up` does
    seaweed.stop(settings.var)
    assert seaweed.start(settings.var).endpoint == settings.s3_endpoint
    assert is_soon(lambda: drops("bank01", other), "done")
    assert drops("energy01", old) == "InvalidAccessKeyId"
    assert not seaweed.secret_path(settings.var, "energy01").exists()

    new = stack.give_key(settings, "energy01")
    assert is_soon(lambda: drops("energy01", new), "done")
    assert drops("energy01", old) == "InvalidAccessKeyId"
