"""Runs on Modal, seen from any machine: submitted, followed, stopped, resumed, and copied into the store here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.events import Event, read
from ftrun.api.paths import RunFolder
from ftrun.api.recipe import Environment, Recipe
from ftrun.api.serving_spec import Endpoint, Serving
from ftrun.api.stage_call import Ref, StageCall
from ftrun.execution.engine import read_plan
from ftrun.plugins.manager import Plugins
from ftrun.store import runs
from ftrun.store.artifacts import StoredFile
from ftrun.store.runs import RunRecord
from ftrun.utils.atomic_io import write_bytes, write_text
from ftrun.utils.sizes import folder_size
from ftrun_plugins.modal import function_calls
from ftrun_plugins.modal.claims import Claims
from ftrun_plugins.modal.client.app import App
from ftrun_plugins.modal.client.client_volume import ROOT, ClientVolume
from ftrun_plugins.modal.client.log_stream import NAMING, Follower
from ftrun_plugins.modal.client.submit_run import RunSubmission, outside_files
from ftrun_plugins.modal.errors import modal_errors
from ftrun_plugins.modal.event_protocol import without_markers
from ftrun_plugins.modal.options import Options
from ftrun_plugins.modal.server.server_deployment import Servers

SECONDS_TO_STOP = 60.0
SECONDS_BETWEEN_LOOKS = 0.3


class ModalRemote:
    """The `Remote` of the backend `modal`."""

    def __init__(self, options: Options, environments: Mapping[str, Environment], plugins: Plugins) -> None:
        self._options = options
        self._environments = environments
        self._plugins = plugins
        self.volume = ClientVolume(options)

    @property
    def place(self) -> str:
        return f"the Modal Volume {self._options.volume}"

    def app(self, calls: Sequence[StageCall]) -> App:
        return App.of(self._options, self._environments, self._plugins, calls)

    # --- beginning and ending a run

    def submit(self, folder: RunFolder, progress: Callable[[str], None]) -> None:
        """Deploys what is not deployed, and begins the run there."""
        record, plan = runs.load(folder), read_plan(folder)
        launches = record.remote.get("launches", [])
        if launches and record.status in runs.OPEN and function_calls.is_alive(launches[-1]):
            raise InvalidInput(
                Problem("run-active", f"the run {folder.id} is running already", hint=f"ftrun logs -f {folder.id}")
            )
        app = self.app(plan.calls)
        if not app.is_deployed():
            app.deploy(progress)
        with modal_errors("submitting the run"):
            RunSubmission(folder, app.name, self._options, self.volume).run(progress)

    def uploads(self, calls: Sequence[StageCall]) -> list[tuple[str, int]]:
        """Files of this machine that the Volume lacks, with their sizes in bytes."""
        found = self.volume.lacking(outside_files(calls))
        return [(str(path), folder_size(path) if path.is_dir() else path.stat().st_size) for path in found.values()]

    def cancel(self, folder: RunFolder, now: bool) -> None:
        self.refresh(folder)
        record = runs.load(folder)
        with modal_errors("cancelling the run"):
            Claims(self._options.claims, self._options.environment).cancel(folder.id)
            for call_id in record.remote.get("launches", ())[-1:]:
                function_calls.cancel(call_id, now)
            end = time.monotonic() + SECONDS_TO_STOP
            while time.monotonic() < end:
                self._look(folder)
                record = runs.load(folder)
                ids = [*record.remote.get("launches", ())[-1:], *_last_of_each(record)]
                alive = [call_id for call_id in ids if function_calls.is_alive(call_id)]
                if not alive:
                    self.refresh(folder)  # the scheduler may have closed the record meanwhile
                    return
                for call_id in alive:
                    function_calls.cancel(call_id, now)
                time.sleep(SECONDS_BETWEEN_LOOKS)
        raise InvalidInput(
            Problem("run-active", f"{folder.id} has not stopped yet", hint=f"ftrun cancel --now {folder.id}")
        )

    # --- looking at runs

    def refresh(self, folder: RunFolder) -> None:
        """Copies the run's record, events and logs; the record is read first, so that a closed one misses nothing."""
        with modal_errors("reading the run"):
            record = self.volume.read(ROOT.run(folder.id).record)
            if record is not None:
                self._copy(folder)
            self._keep(folder, record)

    def _look(self, folder: RunFolder) -> None:
        """Copies the run's record alone."""
        with modal_errors("reading the run"):
            self._keep(folder, self.volume.read(ROOT.run(folder.id).record))

    def _copy(self, folder: RunFolder) -> None:
        """Copies all but the record."""
        there = ROOT.run(folder.id)
        entries = [entry for entry in self.volume.entries(there.root, recursive=True) if entry.size]
        paths = [Path("/") / entry.path for entry in entries]
        wanted = [path for path in paths if path != there.record and "/." not in path.as_posix()]
        events = []
        for path, content in zip(wanted, self.volume.read_all(wanted), strict=True):
            if path == there.events or path.parent == there.events_of("x").parent:
                events += [line for line in (content or b"").splitlines() if line.endswith(b"}")]
            elif path.parent == there.log("x").parent:
                write_bytes(folder.root / path.relative_to(there.root), without_markers(content or b""))
            elif path in (there.recipe, there.plan, there.report):
                write_bytes(folder.root / path.relative_to(there.root), content or b"")
        write_text(folder.events, "".join(line.decode() + "\n" for line in sorted(events, key=_at)))

    def _keep(self, folder: RunFolder, content: bytes | None) -> None:
        """Saves the record as it is there; a run whose scheduler ended without closing it was interrupted."""
        if content is None:
            self._not_there_yet(folder)
            return
        record = RunRecord.model_validate_json(content)
        if folder.record.exists():
            mine = runs.load(folder).remote.get("launches", [])
            known = record.remote.get("launches", [])
            if mine[len(known) :] and mine[: len(known)] == known:  # submitted again, and not begun there yet
                record.remote["launches"] = mine
                record.status, record.ended, record.problems = "waiting", None, ()
        if record.status in runs.OPEN and not function_calls.is_alive(record.remote["launches"][-1]):
            again = self.volume.read(ROOT.run(folder.id).record)
            record = RunRecord.model_validate_json(again) if again else record
            if record.status in runs.OPEN:
                record.status = "interrupted"
        runs.save(folder, record)

    def _not_there_yet(self, folder: RunFolder) -> None:
        """A run that is being submitted, or whose scheduler has not begun."""
        record = runs.load(folder) if folder.record.exists() else None
        if record is None:
            raise InvalidInput(
                Problem("unknown-run", f"there is no run `{folder.id}` on the Volume {self._options.volume}")
            )
        launches = record.remote.get("launches", [])
        if record.status in runs.OPEN and not (launches and function_calls.is_alive(launches[-1])):
            record.status = "interrupted"
            runs.save(folder, record)

    def follow(self, folder: RunFolder) -> Iterator[Event]:
        """First what the Volume has, then what comes: the logs of a function may not reach back to its beginning."""
        self.refresh(folder)
        seen, named = set(), []
        for event in read(folder.events):
            seen.add(orjson.dumps(event))
            named += [str(event["function_call"])] if event["kind"] in NAMING else []
            yield event
        if runs.load(folder).status in runs.OPEN:
            launch = runs.load(folder).remote["launches"][-1]
            with modal_errors("following the run"), Follower(launch, named) as follower:
                for event in follower.events():
                    if orjson.dumps(event) not in seen:
                        yield event
        self._settle(folder)

    def _settle(self, folder: RunFolder) -> None:
        """Waits until the record that the scheduler closed can be read."""
        end = time.monotonic() + SECONDS_TO_STOP
        while True:
            late = time.monotonic() > end
            try:
                self._look(folder)
                if runs.load(folder).status not in runs.OPEN or late:
                    self.refresh(folder)
                    return
            except InvalidInput:
                if late:
                    raise
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def known(self) -> Sequence[str]:
        with modal_errors("listing the runs"):
            return [Path(entry.path).name for entry in self.volume.entries(ROOT.runs)]

    def remove(self, folder: RunFolder) -> None:
        with modal_errors("removing the run"):
            self.volume.remove(ROOT.run(folder.id).root)

    # --- servers

    def serve(self, serving: Serving, recipe: Recipe, progress: Callable[[str], None]) -> Endpoint:
        servers = Servers(self._options, self._environments)
        with modal_errors("deploying the server"):
            return servers.find(serving.run) or servers.deploy(serving, recipe, progress)

    def servers(self) -> Sequence[Endpoint]:
        with modal_errors("listing the servers"):
            return Servers(self._options, self._environments).all()

    def stop_server(self, run: str) -> None:
        Servers(self._options, self._environments).stop(run)

    # --- artifacts

    def read(self, ref: Ref, name: str) -> bytes | None:
        with modal_errors("reading an artifact"):
            return self.volume.read(ROOT.artifact(ref) / name)

    def files(self, ref: Ref) -> Sequence[StoredFile]:
        with modal_errors("listing the files"):
            return self.volume.files(ref)

    def push(self, ref: Ref, folder: Path, progress: Callable[[str], None]) -> None:
        with modal_errors("copying the files"):
            self.volume.push(ref, folder, progress)

    def pull(self, ref: Ref, target: Path, progress: Callable[[float, float], None]) -> None:
        with modal_errors("copying the files"):
            self.volume.pull(ref, target, progress)


def _last_of_each(record: RunRecord) -> list[str]:
    return [ids[-1] for ids in record.remote.get("calls", {}).values() if ids]


def _at(line: bytes) -> Any:
    return orjson.loads(line)["at"]
