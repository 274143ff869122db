"""HTML page of a report, and its file. A report is written when a run ends and on `ftrun report`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ftrun.api.paths import RunFolder
from ftrun.api.redaction import redact_text
from ftrun.report.renderer import render
from ftrun.report.run_data import RunData
from ftrun.report.sections.data import data
from ftrun.report.sections.evaluation import evaluation
from ftrun.report.sections.provenance import provenance
from ftrun.report.sections.recipe import recipe
from ftrun.report.sections.samples import samples
from ftrun.report.sections.stages import stages
from ftrun.report.sections.summary import summary
from ftrun.report.sections.training import training
from ftrun.store.artifacts import Read
from ftrun.utils.atomic_io import write_bytes

# By title. A section without content is omitted. Its template has the name of its function.
SECTIONS: Mapping[str, Callable[[RunData], dict[str, Any] | None]] = {
    "Evaluation": evaluation,
    "Samples": samples,
    "Loss": training,
    "Data": data,
    "Stages": stages,
    "Recipe": recipe,
    "Versions and hardware": provenance,
}


def page(run: RunData) -> str:
    """Return the HTML of a report, without secrets."""
    sections = [
        {
            "title": title,
            "anchor": title.partition(" ")[0].lower(),
            "template": f"{section.__name__}.html",
            "content": content,
        }
        for title, section in SECTIONS.items()
        if (content := section(run))
    ]
    secrets = {name for call in run.plan.calls for name in (*call.secrets, *call.optional_secrets)}
    return redact_text(render("report.html", summary=summary(run), sections=sections), secrets)


def write_report(folder: RunFolder, read: Read) -> Path:
    """Write the report of a run in its folder, and return its path. `read` returns small files of the artifacts."""
    write_bytes(folder.report, make_report(folder, read))
    return folder.report


def make_report(folder: RunFolder, read: Read) -> bytes:
    """Return the HTML file of a run's report. `read` returns small files of the artifacts."""
    # JSON may contain lone surrogates, which UTF-8 cannot encode. They become question marks.
    return page(RunData(folder, read)).encode(errors="replace")


def save_report(folder: RunFolder, read: Read, emit: Callable[..., object]) -> None:
    """Write the report of a run that ends. If this fails, emit a warning event and continue."""
    try:
        write_report(folder, read)
    except Exception as error:  # an error in the report must not change the result of the run
        emit("warning", text=f"the report could not be written: {type(error).__name__}: {error}")
