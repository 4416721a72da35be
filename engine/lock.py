"""One writer per dataset root: an advisory `flock` on `<root>/.lock`, with the holder's name written inside.

The system frees the lock when the process ends, however it ends, so a killed build never blocks the next one. A
holder that was killed or failed leaves its name behind, which tells the next writer that orphans may lie around. Local file
systems only: an object store needs a lease, and NFS needs a server that supports `flock`.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

POLL_S = 0.2
"""How often a waiting writer looks again."""


@dataclass(frozen=True)
class Holder:
    """Who holds the lock of a root."""

    pid: int
    host: str
    command: str
    since: str

    def __str__(self) -> str:
        return f"'{self.command}' (process {self.pid} on {self.host}, since {self.since})"


class RootBusy(RuntimeError):
    """Another writer holds the root. `holder` names it (None when its note could not be read)."""

    def __init__(self, root: Path, holder: Holder | None) -> None:
        self.root, self.holder = root, holder
        super().__init__(
            f"dataset {root} is being written by {holder or 'another process'}; "
            "wait for it to end, or stop it: a build that is stopped can be resumed"
        )


def _read_holder(path: Path) -> Holder | None:
    try:
        return Holder(**json.loads(path.read_text() or "null"))
    except (OSError, ValueError, TypeError):
        return None


class RootLock:
    """Context manager: `with RootLock(root, "build quickstart.yaml") as lock: ...`.

    `holder` is what the others are told; `wait_s` is how long to wait for a busy root before `RootBusy` is raised.
    `previous` is the last holder if it was killed or failed while it held the lock, else None.
    """

    def __init__(self, root: Path | str, holder: str, wait_s: float = 0.0) -> None:
        self.root = Path(root)
        self.command = holder
        self.wait_s = wait_s
        self.previous: Holder | None = None
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock now."""
        return self._fd is not None

    def acquire(self) -> RootLock:
        """Take the lock, or raise `RootBusy` after `wait_s`."""
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root / ".lock"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        deadline = time.monotonic() + self.wait_s
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(fd)
                    raise RootBusy(self.root, _read_holder(path)) from None
                time.sleep(POLL_S)
        self.previous = _read_holder(path)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        note = json.dumps(asdict(Holder(os.getpid(), socket.gethostname(), self.command, since)))
        os.ftruncate(fd, 0)
        os.pwrite(fd, note.encode(), 0)
        self._fd = fd
        _HELD.add(self)
        return self

    def release(self) -> None:
        """Give the lock back and wipe the holder's name: the mark of an orderly end."""
        self._release(orderly=True)

    def _release(self, *, orderly: bool) -> None:
        if self._fd is None:
            return
        if orderly:
            os.ftruncate(self._fd, 0)
        fcntl.flock(self._fd, fcntl.LOCK_UN)
        os.close(self._fd)
        self._fd = None
        _HELD.discard(self)

    def __enter__(self) -> RootLock:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release(orderly=kind is None)


_HELD: set[RootLock] = set()


def _forget_in_child() -> None:
    """A forked child must not keep its parent's lock alive: it closes its copy of the descriptor."""
    for lock in _HELD:
        if lock._fd is not None:
            os.close(lock._fd)
            lock._fd = None
    _HELD.clear()


os.register_at_fork(after_in_child=_forget_in_child)
