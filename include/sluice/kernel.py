"""System calls of Linux with which a process limits itself, and for which Python has no function.

prctl(2), unshare(2), landlock(7), and a filter of system calls (seccomp(2)) by libseccomp, which Debian always has: apt
needs it.
"""

import contextlib
import ctypes
import errno
import os
import signal
import struct
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 36, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_ALLOW, _FAIL, _EVERY_THREAD = 0x7FFF0000, 0x00050000 | errno.EACCES, 4
_TO_A_NETWORK = ("socket", "io_uring_setup")
"""Who has neither reaches no network, and no socket of this machine. ``socketpair`` stays: it is one's own."""
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""Numbers of Landlock's calls, the same on every architecture."""
_WRITE, _READ, _LIST, _TRUNCATE = 1 << 1, 1 << 2, 1 << 3, 1 << 14
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights on files each version of Landlock knows, the last one for all that come after."""


def die_with_parent() -> None:
    """End this process when its parent ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies, so that none is lost; elsewhere do nothing.

    PostgreSQL refuses to start while its dead postmaster is a zombie, and in a container there may be
    no other process to reap it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def leave_network() -> bool:
    """Lose the network for good, and every child with it; False where the kernel lets us do neither.

    Two locks, each enough: no socket can be made any more, and the network namespace is an empty one. In a container
    the second is usually denied; of a process with several threads the kernel lets only root's have it.
    """
    held = [_empty_namespace(), deny(*_TO_A_NETWORK)]
    return any(held)


def _empty_namespace() -> bool:
    libc = ctypes.CDLL(None)
    return any(libc.unshare(flags) == 0 for flags in (_CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET))


def deny(*calls: str) -> bool:
    """Let these system calls fail with EACCES in every thread from now on; False where that cannot be had."""
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return False
    library.seccomp_init.restype = ctypes.c_void_p
    if (made := library.seccomp_init(_ALLOW)) is None:
        return False
    rules = ctypes.c_void_p(made)
    try:
        numbers = [library.seccomp_syscall_resolve_name(name.encode()) for name in calls]
        return (
            -1 not in numbers
            and library.seccomp_attr_set(rules, _EVERY_THREAD, 1) == 0
            and all(library.seccomp_rule_add_array(rules, _FAIL, number, 0, None) == 0 for number in numbers)
            and library.seccomp_load(rules) == 0
        )
    finally:
        library.seccomp_release(rules)


@cache
def places_of_code() -> tuple[Path, ...]:
    """Where Python, its packages and their libraries find what they load late, and how many processors there are.

    A package may be a link into another folder. Call it once before children are forked: it looks up each package.
    """
    named = (sys.prefix, sys.base_prefix, *filter(None, sys.path), "/usr", "/lib", "/lib64", "/sys/fs/cgroup")
    roots = {Path(each).resolve() for each in (*named, "/sys/devices/system/cpu", "/etc/localtime")}
    files = (getattr(module, "__file__", None) for name, module in sys.modules.items() if "." not in name)
    return (*roots, *({Path(each).resolve().parent for each in files if each} - roots))


def confine(reads: Iterable[Path], writes: Iterable[Path]) -> bool:
    """Open no file but below ``reads``, ``writes`` and what Python needs, change none but below ``writes``, for good.

    Every child is confined with it. Nor can it signal or trace a process outside, or read its memory or environment.
    What is open already stays open. A path that is not there gives no right. Call it where ``sys.path`` does not begin
    with the folder one happens to be in (``python -P``). False where the kernel has no Landlock (before 5.13).
    """
    call = ctypes.CDLL(None).syscall
    call.restype = ctypes.c_long
    version = call(_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    every = (1 << _RIGHTS.get(version, max(_RIGHTS.values()))) - 1
    asked = struct.pack("=QQQ", every, 0b11, 0b11)  # files; TCP; abstract sockets and signals
    asked = asked[: 8 if version < 4 else 16 if version < 6 else 24]
    rules = call(_CREATE_RULESET, asked, ctypes.c_size_t(len(asked)), 0)
    if rules < 0:
        return False
    for path, rights in [
        *((path, _READ | _LIST) for path in (*places_of_code(), Path("/proc/self"), *reads)),
        *((path, every) for path in writes),
    ]:
        with contextlib.suppress(OSError):
            _allow(call, rules, path, rights & every)
    held: bool = ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 and call(_RESTRICT_SELF, rules, 0) == 0
    os.close(rules)
    return held


def _allow(call: Callable[..., int], rules: int, path: Path, rights: int) -> None:
    """Allow ``rights`` on a file or below a folder. Raises OSError if it cannot be opened."""
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        allowed = rights if path.is_dir() else rights & (_READ | _WRITE | _TRUNCATE)
        call(_ADD_RULE, rules, 1, struct.pack("=Qi", allowed, handle), 0)
    finally:
        os.close(handle)
