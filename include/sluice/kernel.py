"""What a process asks of the Linux kernel for itself, and Python has no function for.

prctl(2), unshare(2), and a filter of system calls (seccomp(2)) by libseccomp, which Debian always has: apt needs it.
"""

import ctypes
import errno
import signal
import sys

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_ALLOW, _FAIL, _EVERY_THREAD = 0x7FFF0000, 0x00050000 | errno.EACCES, 4
_TO_A_NETWORK = ("socket", "io_uring_setup")
"""Who has neither reaches no network, and no socket of this machine. ``socketpair`` stays: it is one's own."""


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
