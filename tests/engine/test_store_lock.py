"""One writer per root, and a writer that died never blocks the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from chronotope.engine.lock import RootBusy, RootLock

HOLD = """
import sys, time
from chronotope.engine.lock import RootLock
with RootLock(sys.argv[1], "build a.yaml"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""

FORK = """
import os, sys, time
from chronotope.engine.lock import RootLock
RootLock(sys.argv[1], "parent").acquire()
child = os.fork()
if child:
    print(child, flush=True)
time.sleep(60)
"""


def holder(root: Path, seconds: float) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(root), str(seconds)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_busy_root_names_its_holder(tmp_path: Path) -> None:
    process = holder(tmp_path, 60)
    try:
        with pytest.raises(RootBusy, match=f"'build a.yaml' \\(process {process.pid} on "):
            RootLock(tmp_path, "build b.yaml").acquire()
    finally:
        process.kill()
        process.wait()


def test_a_killed_writer_frees_the_root_and_leaves_its_name(tmp_path: Path) -> None:
    process = holder(tmp_path, 60)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with RootLock(tmp_path, "next") as lock:
        assert lock.previous is not None
        assert lock.previous.pid == process.pid
    with RootLock(tmp_path, "after an orderly end") as lock:
        assert lock.previous is None


def test_waiting_takes_the_root_when_it_is_free(tmp_path: Path) -> None:
    process = holder(tmp_path, 0.5)
    with RootLock(tmp_path, "patient", wait_s=30) as lock:
        assert lock.held
    assert process.wait() == 0


def test_a_forked_child_does_not_keep_the_lock_of_its_killed_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", FORK, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    try:
        parent.kill()
        parent.wait()
        with RootLock(tmp_path, "next", wait_s=10) as lock:
            assert lock.previous is not None
            os.kill(child, 0)  # it is alive
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_writer_that_failed_leaves_its_name_too(tmp_path: Path) -> None:
    with pytest.raises(KeyError), RootLock(tmp_path, "unlucky"):
        raise KeyError
    with RootLock(tmp_path, "next") as lock:
        assert lock.previous is not None and lock.previous.command == "unlucky"
