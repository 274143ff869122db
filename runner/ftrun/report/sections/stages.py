"""The section on stage calls: what each did, how long it took, what it measured and what it cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ftrun.api.stage_call import StageCall
from ftrun.report.html import Content, Html, element, table
from ftrun.report.number_format import duration, metrics
from ftrun.report.run_data import RunData
from ftrun.utils.sizes import human_size

# What happened to a call, the first that the events tell: a run that was resumed finds its own results cached.
ENDS = {"call_finished": "made", "call_cached": "cached", "call_failed": "failed", "call_stopped": "stopped"}
TITLES = ("call", "result", "time", "cost", "memory", "hardware", "measured")


def stages(material: RunData) -> Iterator[Html]:
    told: dict[str, set[str]] = {}
    for event in material.events():
        told.setdefault(str(event.get("call")), set()).add(event["kind"])
    rows = (_row(call, material, told.get(call.label, set())) for call in material.plan.calls)
    yield table("Stage calls in their order", TITLES, rows, numbers=(2, 3, 4))
    yield from _warnings(material)


def _row(call: StageCall, material: RunData, told: set[str]) -> Sequence[Content]:
    result = material.record.results.get(call.label, {})
    end = next((word for kind, word in ENDS.items() if kind in told), "made" if result else "not reached")
    memory = result.get("facts", {}).get("peak_memory")
    return (
        call.label,
        end,
        duration(result["seconds"]) if "seconds" in result else "",
        f"${result['cost']:.2f}" if "cost" in result else "",
        human_size(memory) if memory else "",
        " or ".join(call.work.gpu) or (f"{call.work.gpus} GPU" if call.work.gpus else _cores(call.work.cpu)),
        ", ".join(metrics(result.get("metrics", {}))),
    )


def _cores(count: float) -> str:
    return f"{count:g} core{'' if count == 1 else 's'}"


def _warnings(material: RunData) -> Iterator[Html]:
    for event in material.events():
        if event["kind"] == "warning":
            yield element("p", f"warning of {event.get('call') or 'the run'}: {event['text']}", class_="gate bad")
