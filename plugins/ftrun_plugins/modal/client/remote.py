"""Access to runs on Modal from any machine: submit, follow, cancel, resume, and copy to the local store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.events import Event, read
from ftrun.api.manifest import StoredFile
from ftrun.api.paths import RunFolder
from ftrun.api.recipe import Environment, Recipe
from ftrun.api.serving_spec import Endpoint, Serving
from ftrun.api.stage_call import Ref, StageCall
from ftrun.plugins.manager import Plugins
from ftrun.store import runs
from ftrun.store.run_plan import read_plan
from ftrun.utils.atomic_io import write_bytes, write_text
from ftrun.utils.sizes import folder_size
from ftrun_plugins.modal import function_calls
from ftrun_plugins.modal.claims import Claims
from ftrun_plugins.modal.client.app import App
from ftrun_plugins.modal.client.client_volume import ROOT, ClientVolume
from ftrun_plugins.modal.client.log_stream import CALL_EVENTS, Follower
from ftrun_plugins.modal.client.submit_run import RunSubmission, local_files
from ftrun_plugins.modal.errors import modal_errors
from ftrun_plugins.modal.event_protocol import strip_events
from ftrun_plugins.modal.options import Options
from ftrun_plugins.modal.server.server_deployment import Servers

SECONDS_TO_STOP = 60.0
SECONDS_BETWEEN_POLLS = 0.3


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
        return App.for_calls(self._options, self._environments, self._plugins, calls)

    # --- start and end of a run

    def submit(self, folder: RunFolder, progress: Callable[[str], None]) -> None:
        """Deploy the app if necessary, and start the run on Modal.

        Raises:
            InvalidInput: If the run is already running.
        """
        record, plan = runs.load(folder), read_plan(folder)
        launches = record.remote.get("launches", [])
        if launches and record.status in runs.OPEN and function_calls.is_alive(launches[-1]):
            raise InvalidInput(
                Problem("run-active", f"the run `{folder.id}` is already running", hint=f"ftrun logs -f {folder.id}")
            )
        app = self.app(plan.calls)
        if not app.is_deployed():
            app.deploy(progress)
        with modal_errors("submitting the run"):
            RunSubmission(folder, app.name, self._options, self.volume).run(progress)

    def uploads(self, calls: Sequence[StageCall]) -> list[tuple[str, int]]:
        """Return the files of this machine that the Volume lacks, with their sizes in bytes."""
        missing = self.volume.find_missing(local_files(calls))
        return [(str(path), folder_size(path) if path.is_dir() else path.stat().st_size) for path in missing.values()]

    def cancel(self, folder: RunFolder, now: bool) -> None:
        self.refresh(folder)
        record = runs.load(folder)
        with modal_errors("cancelling the run"):
            Claims(self._options.claims, self._options.environment).mark_cancelled(folder.id)
            for call_id in record.remote.get("launches", ())[-1:]:
                function_calls.cancel(call_id, now)
            end = time.monotonic() + SECONDS_TO_STOP
            while time.monotonic() < end:
                self._refresh_record(folder)
                record = runs.load(folder)
                ids = [*record.remote.get("launches", ())[-1:], *_latest_calls(record)]
                alive = [call_id for call_id in ids if function_calls.is_alive(call_id)]
                if not alive:
                    self.refresh(folder)  # the scheduler may have closed the record in the meantime
                    return
                for call_id in alive:
                    function_calls.cancel(call_id, now)
                time.sleep(SECONDS_BETWEEN_POLLS)
        raise InvalidInput(
            Problem("run-active", f"the run `{folder.id}` has not stopped yet", hint=f"ftrun cancel --now {folder.id}")
        )

    # --- state of runs

    def refresh(self, folder: RunFolder) -> None:
        """Copy record, events and logs of a run. Read the record first, so that a closed run has all its events."""
        with modal_errors("reading the run"):
            record = self.volume.read(ROOT.run(folder.id).record)
            if record is not None:
                self._copy_files(folder)
            self._save_record(folder, record)

    def _refresh_record(self, folder: RunFolder) -> None:
        """Copy the record of a run."""
        with modal_errors("reading the run"):
            self._save_record(folder, self.volume.read(ROOT.run(folder.id).record))

    def _copy_files(self, folder: RunFolder) -> None:
        """Copy the files of a run except its record."""
        remote = ROOT.run(folder.id)
        entries = [entry for entry in self.volume.entries(remote.root, recursive=True) if entry.size]
        paths = [Path("/") / entry.path for entry in entries]
        wanted = [path for path in paths if path != remote.record and "/." not in path.as_posix()]
        events = []
        for path, content in zip(wanted, self.volume.read_all(wanted), strict=True):
            if path == remote.events or path.parent == remote.events_of("x").parent:
                events += [line for line in (content or b"").splitlines() if line.endswith(b"}")]
            elif path.parent == remote.log("x").parent:
                write_bytes(folder.root / path.relative_to(remote.root), strip_events(content or b""))
            elif path in (remote.recipe, remote.plan, remote.report):
                write_bytes(folder.root / path.relative_to(remote.root), content or b"")
        write_text(folder.events, "".join(line.decode() + "\n" for line in sorted(events, key=_event_time)))

    def _save_record(self, folder: RunFolder, content: bytes | None) -> None:
        """Save the record of the Volume. If its scheduler ended without closing it, the run was interrupted."""
        if content is None:
            self._update_pending_record(folder)
            return
        try:
            record = runs.parse(content, folder)
        except InvalidInput:
            if not folder.record.exists():
                write_bytes(folder.record, content)  # so that the run is listed as unreadable, and can be removed
            raise
        if folder.record.exists() and runs.load_readable(folder):
            local_launches = runs.load(folder).remote.get("launches", [])
            launches = record.remote.get("launches", [])
            # the run was submitted again, and its new scheduler has not started yet
            if local_launches[len(launches) :] and local_launches[: len(launches)] == launches:
                record.remote["launches"] = local_launches
                record.status, record.ended, record.problems = "waiting", None, ()
        if record.status in runs.OPEN and not function_calls.is_alive(record.remote["launches"][-1]):
            latest = self.volume.read(ROOT.run(folder.id).record)
            record = runs.parse(latest, folder) if latest else record
            if record.status in runs.OPEN:
                record.status = "interrupted"
        runs.save(folder, record)

    def _update_pending_record(self, folder: RunFolder) -> None:
        """Update the local record of a run that is being submitted, or whose scheduler has not started.

        Raises:
            InvalidInput: If there is no local record either.
        """
        record = runs.load(folder) if folder.record.exists() else None
        if record is None:
            raise InvalidInput(
                Problem("unknown-run", f"there is no run `{folder.id}` on the Volume `{self._options.volume}`")
            )
        launches = record.remote.get("launches", [])
        if record.status in runs.OPEN and not (launches and function_calls.is_alive(launches[-1])):
            record.status = "interrupted"
            runs.save(folder, record)

    def follow(self, folder: RunFolder) -> Iterator[Event]:
        """Yield the events on the Volume, then new ones. The logs of a function may not reach back to its start."""
        self.refresh(folder)
        known_events, call_ids = set(), []
        for event in read(folder.events):
            known_events.add(orjson.dumps(event))
            call_ids += [str(event["function_call"])] if event["kind"] in CALL_EVENTS else []
            yield event
        if runs.load(folder).status in runs.OPEN:
            launch = runs.load(folder).remote["launches"][-1]
            with modal_errors("following the run"), Follower(launch, call_ids) as follower:
                for event in follower.events():
                    if orjson.dumps(event) not in known_events:
                        yield event
        self._wait_for_final_record(folder)

    def _wait_for_final_record(self, folder: RunFolder) -> None:
        """Wait until the record that the scheduler closed is readable, and copy the run."""
        end = time.monotonic() + SECONDS_TO_STOP
        while True:
            is_last_try = time.monotonic() > end
            try:
                self._refresh_record(folder)
                if runs.load(folder).status not in runs.OPEN or is_last_try:
                    self.refresh(folder)
                    return
            except InvalidInput:
                if is_last_try:
                    raise
            time.sleep(SECONDS_BETWEEN_POLLS)

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


def _latest_calls(record: runs.RunRecord) -> list[str]:
    return [ids[-1] for ids in record.remote.get("calls", {}).values() if ids]


def _event_time(line: bytes) -> Any:
    return orjson.loads(line)["at"]
