"""Display of the events of a run as they arrive: progress bars on a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
import time
from collections import Counter
from contextlib import suppress
from types import TracebackType

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from ftrun.api.events import Event
from ftrun.api.paths import RunFolder
from ftrun.report.number_format import duration
from ftrun.utils.sizes import human_size
from ftrun.utils.terminal import make_console
from ftrun.utils.text import message_kind

SECONDS_BETWEEN_LINES = 10.0  # between lines of progress in a pipe
METRICS = {
    "loss": "loss",
    "eval_loss": "eval loss",
    "tokens_per_second": "trained tokens/s",
    "gpu_memory_gib": "GiB of GPU memory",
}


class Display:
    """Printer of the events of a run, to stderr."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._console = make_console(sys.stderr, soft_wrap=True)
        self._bars = Progress(
            TextColumn("  {task.description:<20}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[text]}"),
            console=self._console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._tasks: dict[str, TaskID] = {}
        self._values: dict[str, dict[str, object]] = {}
        self._printed_at: dict[str, float] = {}
        self._started_at: dict[str, float] = {}
        self._warnings: dict[str, Counter[str]] = {}  # by call

    def __enter__(self) -> Display:
        self._console.print(f"run {self._folder.id}")
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._bars.stop()

    def show(self, event: Event) -> None:
        """Print an event. It is called for each event, in order, from the thread that reads the log.

        A terminal that was closed gets no events.
        """
        with suppress(OSError):
            self._show(event)

    def _show(self, event: Event) -> None:
        call, kind = str(event.get("call") or ""), event["kind"]
        match kind:
            case "call_started":
                self._started_at[call] = event["at"]
                self._print_line(call, "started")
            case "call_submitted":
                self._print_line(call, "submitted")
            case "call_cached":
                self._print_line(call, "cached")
            case "call_waiting":
                owner = f"the run {event['run']}" if event.get("run") else "another run"
                self._print_line(call, f"waits: {owner} works on it")
            case "progress":
                self._show_progress(call, event)
            case "warning":
                self._show_warning(call, str(event.get("text", "")))
            case "note":
                self._print_line(call, event.get("text", ""))
            case "resumed":
                self._print_line(call, f"continues from its checkpoint at step {event.get('step')}")
            case "tracker":
                self._print_line(call, f"is logged at {event.get('url')}")
            case "environment":
                self._print_line(call, event.get("text", ""))
            case "environment_line":
                self._update_bar(call, (event.get("text") or "")[:60])
            case "call_finished":
                self._end_call(call, f"done in {duration(event['at'] - self._started_at.get(call, event['at']))}")
            case "call_failed" | "call_stopped":
                self._end_call(call, kind.removeprefix("call_"))

    def _show_warning(self, call: str, text: str) -> None:
        """Print the first warning of a kind, and count the others until the call ends."""
        counts = self._warnings.setdefault(call, Counter())
        counts[message_kind(text)] += 1
        if counts[message_kind(text)] == 1:
            self._print_line(call, f"warning: {text}")

    def _show_progress(self, call: str, event: Event) -> None:
        values = self._values.setdefault(call, {})
        values.update({name: event[name] for name in METRICS if event.get(name) is not None})
        text = progress_text(event, values)
        if self._console.is_terminal:
            self._update_bar(call, text, event.get("step") or 0, event.get("total"))
        elif event.get("step") and time.monotonic() - self._printed_at.get(call, 0.0) >= SECONDS_BETWEEN_LINES:
            self._printed_at[call] = time.monotonic()
            self._print_line(call, text)

    def _update_bar(self, call: str, text: str, step: float = 0, total: float | None = None) -> None:
        if not self._console.is_terminal:
            return
        if call not in self._tasks:
            self._tasks[call] = self._bars.add_task(call, total=total, text="")
        self._bars.update(self._tasks[call], completed=step, total=total, text=text)

    def _end_call(self, call: str, text: str) -> None:
        if call in self._tasks:
            self._bars.remove_task(self._tasks.pop(call))
        for kind, count in self._warnings.pop(call, Counter[str]()).items():
            if count > 1:
                self._print_line(call, f"warning: {count} times: {kind}")
        self._print_line(call, text)

    def _print_line(self, call: str, text: str) -> None:
        self._console.print(f"  {call:<20} {text}", markup=False)


def progress_text(event: Event, values: dict[str, object]) -> str:
    """Return progress as text: `12/86 steps  1.3 s each  1m36s left  loss 0.41`."""
    step, total, unit, rate = event.get("step") or 0, event.get("total"), event.get("unit"), event.get("rate") or 0.0
    size = human_size if unit == "bytes" else lambda number: f"{number:,.0f}"
    count = f"{size(step)}/{size(total)}" if total else size(step)
    parts = [count if unit == "bytes" else f"{count} {unit}"]
    if rate > 0:
        parts.append(f"{size(rate)}/s" if unit == "bytes" or rate >= 1 else f"{1 / rate:.1f} s each")
    if event.get("seconds_left"):
        parts.append(f"{duration(event['seconds_left'])} left")
    parts += [
        f"{METRICS.get(name, name)} {value:.4g}" if isinstance(value, float) else f"{METRICS.get(name, name)} {value}"
        for name, value in values.items()
    ]
    return "  ".join(parts)
