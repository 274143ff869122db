from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ftrun.store.locks import FileLock, is_held

WAITS = "import sys; sys.stdin.read()"  # ends when its input is closed


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    one, other = FileLock(tmp_path / "a" / "x.lock"), FileLock(tmp_path / "a" / "x.lock")
    assert one.try_acquire()
    assert not other.try_acquire()
    assert is_held(one.path)
    one.release()
    assert other.try_acquire()
    other.release()
    assert not is_held(one.path)


def test_a_shared_lock_has_many_holders_and_none_of_its_own(tmp_path: Path) -> None:
    one, other, alone = (FileLock(tmp_path / "x.lock") for _ in range(3))
    assert one.try_share()
    assert other.try_share()
    assert not alone.try_acquire()
    one.release()
    assert is_held(other.path)
    other.release()
    assert alone.try_acquire()
    assert not one.try_share()
    alone.release()


def test_releasing_twice_or_what_was_never_taken_does_no_harm(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "x.lock")
    lock.release()
    assert lock.try_acquire()
    lock.release()
    lock.release()
    assert not is_held(lock.path)


def test_the_file_stays_for_removing_it_would_let_two_hold_it(tmp_path: Path) -> None:
    with FileLock(tmp_path / "x.lock") as lock:
        assert lock.try_acquire()
    assert lock.path.exists()


def test_asking_makes_no_file(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "x.lock")
    assert not (tmp_path / "x.lock").exists()


def test_a_lock_is_let_go_when_an_error_leaves_its_block(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "x.lock")
    assert lock.try_acquire()
    with contextlib.suppress(ZeroDivisionError), lock:
        raise ZeroDivisionError
    assert not is_held(lock.path)


@pytest.mark.parametrize("killed", [False, True])
def test_a_child_keeps_the_lock_that_its_parent_let_go_until_it_ends(killed: bool, tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "x.lock")
    assert lock.try_acquire()
    with subprocess.Popen(
        [sys.executable, "-c", WAITS], stdin=subprocess.PIPE, pass_fds=(lock.descriptor,), start_new_session=True
    ) as child:
        assert child.stdin is not None
        lock.release()
        assert is_held(lock.path)
        assert not FileLock(lock.path).try_acquire()
        if killed:
            child.kill()
        else:
            child.stdin.close()
        child.wait(20)
    assert not is_held(lock.path)


def test_a_grandchild_keeps_it_when_the_process_between_is_killed(tmp_path: Path) -> None:
    """As when `ftrun`'s stage process is killed and its trainer lives on."""
    lock = FileLock(tmp_path / "x.lock")
    assert lock.try_acquire()
    reading, writing = os.pipe()
    starts = (
        "import subprocess, sys;"
        f"subprocess.Popen([sys.executable, '-c', {WAITS!r}], stdin={reading}, pass_fds=({lock.descriptor},));"
        "print('started', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starts],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=(lock.descriptor, reading),
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"started\n"
        os.close(reading)
        lock.release()
        child.kill()
    assert is_held(lock.path)
    os.close(writing)  # the grandchild ends
    waiting = subprocess.run(
        [sys.executable, "-c", f"import fcntl; fcntl.flock(open({str(lock.path)!r}), fcntl.LOCK_EX)"], timeout=20
    )
    assert waiting.returncode == 0
    assert not is_held(lock.path)
