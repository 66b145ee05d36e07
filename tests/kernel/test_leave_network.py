"""Each lock keeps the network away by itself, and where neither can be had that is told."""

import json
import socket
import subprocess
import sys

import pytest

TRY = """
import json, socket, sys, threading
from sluice import kernel

port, with_thread, *denied = sys.argv[1:]

def connects():
    try:
        socket.create_connection(("127.0.0.1", int(port)), 5).close()
    except OSError:
        return False
    return True

def local():
    try:
        return bool(socket.socket(socket.AF_UNIX))
    except OSError:
        return False

assert not denied or kernel.deny(*denied)
told, left = [connects()], threading.Event()
thread = threading.Thread(target=lambda: (left.wait(), told.append(connects())))
if with_thread == "True":
    thread.start()
said = kernel.leave_network()
left.set()
if with_thread == "True":
    thread.join()
print(json.dumps([said, *told, connects(), local(), bool(socket.socketpair())]))
"""
NO_FILTER, NO_NAMESPACE = ("seccomp", "prctl"), ("unshare",)


def tried(*denied: str, with_thread: bool = False) -> list[bool]:
    """Whether it says that it left; reaches this machine before, [in an older thread] after; a local socket; a pair."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-c", TRY, str(server.getsockname()[1]), str(with_thread), *denied]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: list[bool] = json.loads(done.stdout)
    return found


def test_each_lock_keeps_the_network_away_by_itself_in_every_thread():
    assert tried() == [True, True, False, False, True]
    assert tried(with_thread=True) == [True, True, False, False, False, True]
    assert tried(*NO_NAMESPACE, with_thread=True) == [True, True, False, False, False, True]
    assert tried(*NO_FILTER, *NO_NAMESPACE) == [False, True, True, True, True], "the control of all the others"
    asked = (
        "import socket; from sluice.kernel import deny; print(deny('socket', 'no-such-call'), bool(socket.socket()))"
    )
    done = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True"]


def test_where_no_filter_can_be_had_the_namespace_is_enough_for_the_network() -> None:
    said, before, after, _local, own = tried(*NO_FILTER)
    if not said:
        pytest.skip("this machine lets nobody make a namespace, as a container does")
    assert (before, after, own) == (True, False, True)
