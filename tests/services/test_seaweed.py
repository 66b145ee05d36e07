"""One key per principal, limited to its own prefix (S-10), on the real server."""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import pytest
from botocore.exceptions import ClientError
from pydantic import SecretStr

from sluice.services import buckets, seaweed
from sluice.services.model import SeaweedServer
from sluice.services.places import GRPC_OFFSET, choose_ports, read_ports
from sluice.services.process import ProcessId, wait_until
from sluice.services.record import spawn_recorded
from sluice.settings import Settings
from support.stores import occupied, s3_client

pytestmark = pytest.mark.stores

NAMES = ("client-a", "client-ab", "client-b")
DENIED = {"AccessDenied", "403"}


def answer(call: Callable[[], Any]) -> str:
    """``done``, or the server's error code."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "done"


@pytest.fixture(scope="module")
def admin(s3_server: SeaweedServer, module_settings: Settings) -> Any:
    return s3_client(s3_server.endpoint, s3_server.access_key, s3_server.secret_key)


@pytest.fixture(scope="module")
def principal(service_var: Path, s3_server: SeaweedServer, module_settings: Settings) -> Iterator[Callable[[str], Any]]:
    """A client with the key of one principal; three of them exist."""
    seaweed.write_identities(service_var, module_settings.bucket_exchange, NAMES)

    def of(name: str) -> Any:
        key = seaweed.credential(service_var, name)
        fresh = s3_client(s3_server.endpoint, key.access_key, key.secret_key)
        own = {"Bucket": module_settings.bucket_exchange, "Prefix": f"{name}/"}
        # The key was known before, for the bucket of another test: wait for what it may do in this one.
        assert wait_until(lambda: answer(lambda: fresh.list_objects_v2(**own)) == "done", 60)
        return fresh

    yield of
    seaweed.write_identities(service_var, module_settings.bucket_exchange, ())


def test_a_principal_drops_files_and_fetches_its_receipts(
    admin: Any, principal: Callable[[str], Any], module_settings: Settings
) -> None:
    own, bucket = principal("client-a"), module_settings.bucket_exchange
    for folder in ("inbound/flow", "requests", "acks"):
        assert answer(lambda f=folder: own.put_object(Bucket=bucket, Key=f"client-a/{f}/x", Body=b"1")) == "done"
    for folder in ("outbound", "receipts", "notices"):
        admin.put_object(Bucket=bucket, Key=f"client-a/{folder}/x", Body=b"2")
        assert own.get_object(Bucket=bucket, Key=f"client-a/{folder}/x")["Body"].read() == b"2"
    assert own.list_objects_v2(Bucket=bucket, Prefix="client-a/")["KeyCount"] == 6


def test_a_principal_cannot_read_back_or_overwrite_the_wrong_folders(
    admin: Any, principal: Callable[[str], Any], module_settings: Settings
) -> None:
    own, bucket = principal("client-a"), module_settings.bucket_exchange
    for folder in ("outbound", "receipts", "notices"):
        assert answer(lambda f=folder: own.put_object(Bucket=bucket, Key=f"client-a/{f}/x", Body=b"1")) in DENIED
    own.put_object(Bucket=bucket, Key="client-a/inbound/flow/x", Body=b"1")
    assert answer(lambda: own.get_object(Bucket=bucket, Key="client-a/inbound/flow/x")) in DENIED


def test_no_principal_deletes_a_version_of_what_it_sent(
    admin: Any, principal: Callable[[str], Any], module_settings: Settings
) -> None:
    own, bucket, key = principal("client-a"), module_settings.bucket_exchange, "client-a/inbound/flow/x"
    version = own.put_object(Bucket=bucket, Key=key, Body=b"1")["VersionId"]
    assert answer(lambda: own.delete_object(Bucket=bucket, Key=key)) in DENIED
    assert answer(lambda: own.delete_object(Bucket=bucket, Key=key, VersionId=version)) in DENIED
    batch = own.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key, "VersionId": version}]})
    assert [error["Code"] for error in batch["Errors"]] == ["AccessDenied"]
    assert answer(lambda: admin.delete_object(Bucket=bucket, Key=key, VersionId=version)) == "done"  # the control


def test_no_principal_reaches_into_the_prefix_of_another(
    admin: Any, principal: Callable[[str], Any], module_settings: Settings
) -> None:
    bucket = module_settings.bucket_exchange
    for name in NAMES:
        admin.put_object(Bucket=bucket, Key=f"{name}/receipts/x", Body=b"1")
        admin.put_object(Bucket=bucket, Key=f"{name}/inbound/x", Body=b"1")
    for name in NAMES:
        own = principal(name)
        for other in (each for each in NAMES if each != name):
            tries: list[Callable[[], Any]] = [
                lambda s3=own, o=other: s3.get_object(Bucket=bucket, Key=f"{o}/receipts/x"),
                lambda s3=own, o=other: s3.head_object(Bucket=bucket, Key=f"{o}/receipts/x"),
                lambda s3=own, o=other: s3.put_object(Bucket=bucket, Key=f"{o}/inbound/y", Body=b"1"),
                lambda s3=own, o=other: s3.list_objects_v2(Bucket=bucket, Prefix=f"{o}/"),
                lambda s3=own, o=other: s3.list_object_versions(Bucket=bucket, Prefix=f"{o}/"),
                lambda s3=own, o=other, n=name: s3.copy_object(
                    Bucket=bucket, Key=f"{n}/inbound/stolen", CopySource={"Bucket": bucket, "Key": f"{o}/receipts/x"}
                ),
                lambda s3=own, o=other: s3.delete_object(Bucket=bucket, Key=f"{o}/receipts/x"),
                lambda s3=own, o=other: s3.create_multipart_upload(Bucket=bucket, Key=f"{o}/inbound/z"),
            ]
            assert [answer(each) for each in tries if answer(each) not in DENIED] == []
        for prefix in ("", "client", name):  # without its slash a prefix would list its neighbours
            listing = answer(lambda s3=own, p=prefix: s3.list_objects_v2(Bucket=bucket, Prefix=p))
            assert listing in DENIED
        assert answer(lambda s3=own, n=name: s3.list_objects_v2(Bucket=bucket, Prefix=f"{n}/")) == "done"  # the control


def test_no_principal_changes_the_bucket_or_sees_the_lake(
    principal: Callable[[str], Any], module_settings: Settings
) -> None:
    own, bucket = principal("client-a"), module_settings.bucket_exchange
    suspended = {"Status": "Suspended"}
    assert answer(lambda: own.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=suspended)) in DENIED
    assert answer(lambda: own.delete_bucket_policy(Bucket=bucket)) in DENIED
    assert answer(lambda: own.put_object_acl(Bucket=bucket, Key="client-a/inbound/x", ACL="public-read")) != "done"
    for other in (module_settings.bucket_lake, module_settings.bucket_vault, module_settings.bucket_evidence):
        assert answer(lambda b=other: own.list_objects_v2(Bucket=b)) in DENIED


def test_a_new_principal_is_let_in_without_a_restart(
    service_var: Path, s3_server: SeaweedServer, principal: Callable[[str], Any], module_settings: Settings
) -> None:
    assert seaweed.write_identities(service_var, module_settings.bucket_exchange, (*NAMES, "newcomer"))
    key_of = seaweed.credential(service_var, "newcomer")
    own = s3_client(s3_server.endpoint, key_of.access_key, key_of.secret_key)
    key = "newcomer/inbound/flow/x"
    assert wait_until(
        lambda: answer(lambda: own.put_object(Bucket=module_settings.bucket_exchange, Key=key, Body=b"1")) == "done",
        60,
    )
    running = seaweed.find(service_var)
    assert running is not None and running.pid == s3_server.pid


def test_nobody_is_let_in_without_a_key(s3_server: SeaweedServer, module_settings: Settings) -> None:
    stranger = s3_client(s3_server.endpoint, "nobody", "nothing")
    assert answer(lambda: stranger.list_objects_v2(Bucket=module_settings.bucket_exchange)) == "InvalidAccessKeyId"


def test_the_ports_behind_s3_show_nothing(service_var: Path, admin: Any, module_settings: Settings) -> None:
    admin.put_object(Bucket=module_settings.bucket_lake, Key="x", Body=b"1")
    filer = f"http://127.0.0.1:{read_ports(service_var)['s3-filer']}/buckets/{module_settings.bucket_lake}/"
    with pytest.raises(HTTPError, match="401") as refused:
        build_opener(ProxyHandler({})).open(filer)
    refused.value.close()
    assert admin.get_object(Bucket=module_settings.bucket_lake, Key="x")["Body"].read() == b"1"  # the control


def test_objects_outlive_kill_9_and_who_stops_leaves_no_folder_of_sockets_outside_of_var(var: Path) -> None:
    deep = var / ("long" * 25)
    outside = seaweed._far_dir(deep)
    server = seaweed.start(deep)
    assert outside.is_dir(), "the path is too long for a socket"
    settings = Settings(
        var=deep,
        s3_endpoint=server.endpoint,
        s3_access_key=SecretStr(server.access_key),
        s3_secret_key=SecretStr(server.secret_key),
    )
    buckets.make_buckets(settings, embedded=True)
    s3_client(server.endpoint, server.access_key, server.secret_key).put_object(Bucket="lake", Key="kept", Body=b"7")
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: ProcessId.of(server.pid) is None, 10)
    again = seaweed.start(deep)
    buckets.check_store(settings)
    kept = s3_client(again.endpoint, again.access_key, again.secret_key).get_object(Bucket="lake", Key="kept")
    assert (kept["Body"].read(), again.endpoint) == (b"7", server.endpoint)
    seaweed.stop(deep)
    assert not outside.exists()


@pytest.mark.parametrize("name", [pytest.param("s3", marks=pytest.mark.long), "s3-volume"])
def test_a_port_that_somebody_took_between_its_choice_and_the_start_is_replaced(
    var: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    chosen: list[dict[str, int]] = []
    with ExitStack() as others:

        def taken_meanwhile(*given: Any, **more: Any) -> dict[str, int]:
            chosen.append(choose_ports(*given, **more))
            if len(chosen) == 1:
                others.enter_context(occupied(chosen[0][name]))
            return chosen[-1]

        monkeypatch.setattr(seaweed, "choose_ports", taken_meanwhile)
        server = seaweed.start(var)
        assert (len(chosen), server.port) == (2, chosen[1]["s3"])
        assert chosen[1][name] != chosen[0][name]
        assert seaweed.find(var) == server
        assert s3_client(server.endpoint, server.access_key, server.secret_key).list_buckets()["Buckets"] == []


def test_who_stops_leaves_the_sockets_of_a_server_that_has_its_ports_by_now(var: Path, tmp_path: Path) -> None:
    """SeaweedFS names them by port, in /tmp. Without them a server cannot make a volume, and takes no object."""
    gone = tmp_path / "gone"
    seaweed.start(var)
    shutil.copytree(var / "run", gone / "run")  # it had the same ports, and ended
    ended = spawn_recorded(gone / "run" / "weed.pid", [sys.executable, "-c", ""], log=tmp_path / "log", env={})
    wait_until(lambda: not ended.is_alive(), 10)

    def sockets() -> list[Path]:
        ports = [port + GRPC_OFFSET for port in read_ports(var).values()]
        return [path for port in ports for path in Path("/tmp").glob(f"seaweedfs-*-grpc-{port}.sock")]

    assert wait_until(lambda: len(sockets()) == len(seaweed.PORTS), 60)  # the last comes when it listens already
    there = sockets()
    seaweed.stop(gone)
    assert sockets() == there
    seaweed.stop(var)
    assert sockets() == []
