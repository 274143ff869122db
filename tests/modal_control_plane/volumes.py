"""Volumes (version 2), and the checkout that each container has of one.

A checkout is a real copy. Hard links would be quicker, but a file that is written in place (a log that is appended to)
would then change for everyone without a commit, which is the very mistake these volumes are to uncover. What a file
system can share by itself (reflinks) it does, since `copy_file_range` asks for it; without, 300 MB take 0.2 s. What is
committed never changes in place, so there links are right: a reader is given one.
"""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from grpclib import GRPCError, Status

Signature = tuple[int, ...]  # of a file: changes with its content
Listing = dict[str, Signature]
FOLDER: Signature = ()


@dataclass(eq=False, repr=False)
class Volume:
    id: str
    name: str
    environment: str
    folder: Path  # what is committed
    aside: Path  # on the same file system: files become part of the volume at once, by a rename
    created: float = field(default_factory=time.time)
    lock: threading.RLock = field(default_factory=threading.RLock)
    failing: int = 0  # commits that are to fail

    def path(self, relative: str) -> Path:
        path = self.folder / os.path.normpath("/" + relative).lstrip("/")
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise GRPCError(Status.INVALID_ARGUMENT, f"{relative!r} leaves the volume")
        return path

    def put(self, source: Path, relative: str) -> None:
        """A file, link or folder, copied to its place in one step."""
        _put(source, self.folder / relative, self.aside)

    def remove(self, relative: str) -> None:
        _remove(self.folder / relative)


class Checkout:
    """One container's view of a volume."""

    def __init__(self, volume: Volume, folder: Path) -> None:
        self.volume, self.folder = volume, folder
        folder.mkdir(parents=True)
        self._theirs: Listing = {}  # what is committed, as far as it was brought here
        self._mine: Listing = {}  # what is here, as far as it was committed or brought here
        self.bring()

    def commit(self) -> None:
        """Publishes what changed here; the last writer of a file wins."""
        with self.volume.lock:
            now = scan(self.folder)
            changed = [path for path, signature in now.items() if self._mine.get(path) != signature]
            for path in changed:
                self.volume.put(self.folder / path, path)
                self._theirs[path] = _signature(self.volume.folder / path)
            for path in _deepest_first(self._mine.keys() - now.keys()):
                self.volume.remove(path)
                self._theirs.pop(path, None)
            self._mine = now

    def bring(self) -> None:
        """Brings what others committed; files that were only changed here stay."""
        with self.volume.lock:
            theirs = scan(self.volume.folder)
            for path in _deepest_first(self._mine.keys() - theirs.keys()):
                _remove(self.folder / path)
                del self._mine[path]
            for path in sorted(theirs):  # folders come before what is in them
                if self._theirs.get(path) != theirs[path]:
                    _put(self.volume.folder / path, self.folder / path, self.volume.aside)
                    self._mine[path] = _signature(self.folder / path)  # and nothing else: others write here meanwhile
            self._theirs = theirs

    def open_files(self, processes: Iterable[int]) -> list[str]:
        """What these processes have open of it, or have as their current folder: both prevent a reload."""
        root, found = self.folder.resolve(), []
        for process in processes:
            place = Path(f"/proc/{process}")
            links = [place / "cwd"]
            try:
                links += (place / "fd").iterdir()
            except OSError:
                continue
            for link in links:
                try:
                    target = link.readlink()
                except OSError:
                    continue
                if target.is_relative_to(root):
                    found.append(str(target.relative_to(root)))
        return found


def scan(folder: Path) -> Listing:
    found: Listing = {}
    stack = [(str(folder), "")]
    while stack:
        place, prefix = stack.pop()
        with os.scandir(place) as entries:
            for entry in entries:
                path = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    found[path] = FOLDER
                    stack.append((entry.path, path + "/"))
                elif entry.is_file(follow_symlinks=False) or entry.is_symlink():
                    stat = entry.stat(follow_symlinks=False)
                    found[path] = (stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size)
    return found


def copy(source: Path, target: Path) -> None:
    """A copy with its mode and times, which shares blocks where the file system can."""
    if source.is_symlink():
        target.symlink_to(source.readlink())
        return
    with source.open("rb") as read, target.open("wb") as write:
        left = os.fstat(read.fileno()).st_size
        try:
            while left and (copied := os.copy_file_range(read.fileno(), write.fileno(), left)):
                left -= copied
        except OSError:  # not on this file system
            read.seek(0)
            write.seek(0)
            shutil.copyfileobj(read, write)
    shutil.copystat(source, target)


def _put(source: Path, target: Path, aside: Path) -> None:
    if source.is_dir() and not source.is_symlink():
        if target.is_symlink() or target.is_file():
            target.unlink()
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = aside / secrets.token_hex(8)
    try:
        copy(source, temporary)
    except FileNotFoundError:  # a process of the container has removed it since: the next commit will see
        temporary.unlink(missing_ok=True)
        return
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    temporary.replace(target)


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()
    except OSError:  # gone already, or a folder that others put something into
        pass


def _signature(path: Path) -> Signature:
    if path.is_dir() and not path.is_symlink():
        return FOLDER
    try:
        stat = path.lstat()
    except FileNotFoundError:
        return (-1,)
    return (stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size)


def _deepest_first(paths: Iterable[str]) -> list[str]:
    return sorted(paths, key=lambda path: path.count("/"), reverse=True)
