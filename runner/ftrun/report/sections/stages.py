"""Section on stage calls: their results, durations, metrics and costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ftrun.api.stage_call import StageCall
from ftrun.report.number_format import duration, metrics
from ftrun.report.run_data import RunData
from ftrun.report.table import Table
from ftrun.utils.sizes import human_size
from ftrun.utils.text import message_kind

# The result of a call is that of the first of these event kinds that occurred. The order matters because a resumed run
# finds its own results in the cache.
RESULTS = {"call_finished": "finished", "call_cached": "cached", "call_failed": "failed", "call_stopped": "stopped"}
TITLES = ("call", "result", "time", "cost", "memory", "hardware", "metrics")


def stages(run: RunData) -> dict[str, Any]:
    kinds: dict[str, set[str]] = {}
    for event in run.events():
        kinds.setdefault(str(event.get("call")), set()).add(event["kind"])
    rows = [_row(call, run, kinds.get(call.label, set())) for call in run.plan.calls]
    return {
        "calls": Table("Stage calls in order", TITLES, rows, numbers=(2, 3, 4)),
        "warnings": list(_warnings(run)),
    }


def _row(call: StageCall, run: RunData, kinds: set[str]) -> Sequence[str]:
    result = run.record.results.get(call.label)
    end = next((word for kind, word in RESULTS.items() if kind in kinds), "finished" if result else "not reached")
    memory = result.get("facts", {}).get("peak_memory") if result else None
    return (
        call.label,
        end,
        duration(result["seconds"]) if result else "",
        f"${result['cost']:.2f}" if result and "cost" in result else "",
        human_size(memory) if memory else "",
        " or ".join(call.work.gpu) or (f"{call.work.gpus} GPU" if call.work.gpus else _cores(call.work.cpu)),
        ", ".join(metrics(run.record.metrics(call.label))),
    )


def _cores(count: float) -> str:
    return f"{count:g} core{'' if count == 1 else 's'}"


def _warnings(run: RunData) -> Iterator[str]:
    """Yield the first warning of each kind, with the number of warnings of this kind."""
    found: dict[tuple[str, str], list[str]] = {}
    for event in run.events():
        if event["kind"] == "warning":
            call = str(event.get("call") or "the run")
            text = str(event.get("text", ""))
            found.setdefault((call, message_kind(text)), []).append(text)
    for (call, _), texts in found.items():
        count = f" ({len(texts)} times)" if len(texts) > 1 else ""
        yield f"warning of {call}: {texts[0]}{count}"
