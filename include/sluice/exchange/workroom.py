"""Private folders of workers. Each name begins with an id that its worker locked, so those of the dead are known.

They also tell a fault of their disk, which is none of the file that was being worked on.
"""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

from sluice.errors import DiskUnfit, Ref, SluiceError
from sluice.exchange import locks
from sluice.exchange.house import House
from sluice.exchange.model import Opened
from sluice.lake.table import LocalCopyUnreadable

ARRIVED = "arrived"
"""Name of the file as it came, in the folder where it is judged."""
TIMES_THE_FILE, ROOM_BYTES = 4, 64 << 20
"""Room that judging a file may take beside it (docs/limits.md), and as much more for a small one."""
OF_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO})


@contextmanager
def work_folder(house: House, opened: Opened) -> Iterator[Path]:
    """Yield an empty folder named by exchange and attempt; whoever claimed the exchange holds its lock."""
    with _folder(house, f"{opened.exchange_id}.{opened.attempts}") as folder:
        yield folder


@contextmanager
def private_folder(house: House) -> Iterator[Path]:
    """Yield an empty folder with a lock of its own, for work on many exchanges."""
    name = str(uuid4())
    with locks.try_lock(house.conn, name), _folder(house, name) as folder:
        yield folder


@contextmanager
def _folder(house: House, name: str) -> Iterator[Path]:
    """Make a folder, and remove it. Raises DiskUnfit in place of an error that is its disk's."""
    folder = house.settings.var / "work" / name
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True, mode=0o700)
        yield folder
    except LocalCopyUnreadable:
        check_room(folder)
        raise
    except (SluiceError, psycopg.Error):
        raise
    except Exception as error:
        check_room(folder, error)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_room(folder: Path, error: Exception | None = None) -> None:
    """Raises DiskUnfit when ``error`` is one of a disk, or that of a work folder lacks room.

    Room is what a file like the one in the folder may take, and what the folder holds already counts: a file that
    swells beyond that is to blame itself.
    """
    because = _fault_of_disk(folder.parent, error)
    sizes = {path: path.lstat().st_size for path in folder.rglob("*")} if folder.is_dir() else {}
    place = next(each for each in (folder, *folder.parents) if each.is_dir())
    room = shutil.disk_usage(place).free + sum(sizes.values())
    wanted = ROOM_BYTES + TIMES_THE_FILE * sizes.get(folder / ARRIVED, 0)
    if because is not None or room < wanted:
        raise DiskUnfit(Ref("because", errno.errorcode[because or errno.ENOSPC]), Ref("MiB free", room >> 20))


def _fault_of_disk(work: Path, error: Exception | None) -> int | None:
    """The errno of an error that is a disk's; if it names a file, of one below ``work``."""
    if not isinstance(error, OSError) or error.errno not in OF_THE_DISK:
        return None
    is_here = error.filename is None or str(error.filename).startswith(str(work))
    return error.errno if is_here else None


def sweep_folders(house: House) -> None:
    """Remove the folders that dead workers left."""
    work = house.settings.var / "work"
    for folder in work.iterdir() if work.is_dir() else ():
        with locks.try_lock(house.conn, folder.name.split(".")[0]) as is_free:
            if is_free:
                shutil.rmtree(folder, ignore_errors=True)
