"""A store that a group shares: what one user makes, another can read, continue and remove."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftrun.api.errors import StoreError
from ftrun.api.events import append
from ftrun.api.paths import Store
from ftrun.cli.main import run_command
from ftrun.store.artifacts import describe, publish
from ftrun.store.locks import FileLock, is_held
from ftrun.testing.probe_stage import probe_call
from ftrun.utils.file_modes import read_umask
from helpers.workplace import FTRUN

GROUP, ONE, OTHER = 12000, 12001, 12002  # ids that belong to nobody
# The interpreter may be in the home of root. This capability reads everything but writes nothing.
READS_ALL = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search")


@pytest.fixture(params=[0o002, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_umask_is_read_and_stays(umask: int) -> None:
    assert read_umask() == umask
    assert os.umask(umask) == umask


def test_files_and_folders_have_the_permissions_of_the_umask(umask: int, store: Store) -> None:
    call = probe_call("make", "none")
    output = store.scratch(call.ref).output
    (output / "inner").mkdir(parents=True, mode=0o700)
    (output / "inner" / "weights").write_text("x")
    (output / "inner" / "weights").chmod(0o600)
    (output / "inner").chmod(0o2700)
    publish(store, call.ref, describe(store, call, "run", 1.0, {}, (), {}))
    with FileLock(store.lock(call.ref)) as lock:
        assert lock.try_acquire()
    append(store.root / "events.jsonl", "note")
    artifact = store.artifact(call.ref)
    files = [artifact / "inner" / "weights", artifact / "manifest.json", store.lock(call.ref)]
    assert {mode(path) for path in (*files, store.root / "events.jsonl")} == {0o666 & ~umask}
    assert mode(artifact) == 0o777 & ~umask
    assert mode(artifact / "inner") == 0o2000 | 0o777 & ~umask


def test_a_file_system_without_locks_is_named(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    lock = FileLock(store.root / "x.lock")
    lock.path.parent.mkdir(parents=True)
    lock.path.touch()
    monkeypatch.setattr(fcntl, "flock", refuse)
    for use in (lock.try_acquire, lock.try_share, lambda: is_held(lock.path)):
        with pytest.raises(StoreError) as refused:
            use()
        assert refused.value.problems[0].code == "no-file-locks"
    assert run_command(["recipe=quickstart", "stages=[format]"]) == 1


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root, to be two users")
def test_two_users_share_a_store() -> None:
    folder = Path(tempfile.mkdtemp(prefix="ftrun-shared-"))
    try:
        os.chown(folder, 0, GROUP)
        folder.chmod(0o2775)
        homes = {user: Path(tempfile.mkdtemp(prefix="ftrun-home-")) for user in (ONE, OTHER)}
        for user, home in homes.items():
            os.chown(home, user, GROUP)

        def run(user: int, *arguments: str) -> str:
            who = (f"--reuid={user}", f"--regid={user}", f"--groups={GROUP}", *READS_ALL)
            environment = {"PATH": os.environ["PATH"], "HOME": str(homes[user]), "FTRUN_STORE": str(folder / "store")}
            command = ["setpriv", *who, "sh", "-c", 'umask 002; exec "$@"', "sh", str(FTRUN), *arguments]
            ended = subprocess.run(
                command, cwd=homes[user], env=environment, capture_output=True, text=True, check=False
            )
            assert ended.returncode == 0, ended.stdout + ended.stderr
            return ended.stdout

        run(ONE, "recipe=quickstart", "stages=[format]")
        first = Path(next((folder / "store" / "runs").iterdir())).name
        for arguments in (
            ("runs",),
            ("show", first),
            ("logs", first),
            ("report", first),
            ("verify",),
            ("resume", first),
        ):
            run(OTHER, *arguments)
        run(OTHER, "recipe=quickstart", "stages=[format]", "dataset.limit=5")
        owners = {path.stat().st_uid for path in (folder / "store" / "artifacts").glob("*/*")}
        assert owners == {ONE, OTHER}
        for path in (folder / "store").rglob("*"):
            assert path.stat().st_gid == GROUP, path
            assert mode(path) & 0o020, path
        run(ONE, "resume", "last")
        run(OTHER, "rm", "--yes", "--artifacts", first)
        run(ONE, "rm", "--yes", "--artifacts", "last")
        assert list((folder / "store" / "artifacts").glob("*/*")) == []
    finally:
        shutil.rmtree(folder)
        for home in homes.values():
            shutil.rmtree(home)
