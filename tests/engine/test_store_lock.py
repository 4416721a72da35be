"""One writer per root, and a writer that died never blocks the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
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


def test_a_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    lock = RootLock(tmp_path, "parent").acquire()
    child = os.fork()
    if child == 0:
        time.sleep(30)
        os._exit(0)
    try:
        lock.release()
        with RootLock(tmp_path, "next") as again:
            assert again.held
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
