"""HTML page of a report, and its file. A report is written when a run ends and on `ftrun report`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ftrun.api.paths import RunFolder
from ftrun.report.html import Html, element, join
from ftrun.report.redaction import redact_text
from ftrun.report.run_data import RunData
from ftrun.report.sections.data import data
from ftrun.report.sections.evaluation import evaluation
from ftrun.report.sections.provenance import provenance
from ftrun.report.sections.recipe import recipe
from ftrun.report.sections.samples import samples
from ftrun.report.sections.stages import stages
from ftrun.report.sections.summary import summary
from ftrun.report.sections.training import training
from ftrun.report.style import STYLE
from ftrun.store.artifacts import Read
from ftrun.utils.atomic_io import write_bytes

SECTIONS: Mapping[str, Callable[[RunData], Iterable[Html]]] = {
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
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{run.record.id}: report"),
        element("style", Html(STYLE)),
    )
    sections = {title: content for title, make in SECTIONS.items() if (content := join(make(run)))}
    links = (element("a", title, href=f"#{_anchor(title)}") for title in sections)
    main = element(
        "main",
        summary(run),
        element("nav", links, aria_label="Sections"),
        (element("section", element("h2", title), content, id=_anchor(title)) for title, content in sections.items()),
    )
    document = element("html", head, element("body", main), lang="en")
    secrets = {name for call in run.plan.calls for name in (*call.secrets, *call.optional_secrets)}
    return redact_text(f"<!doctype html>\n{document}\n", secrets)


def _anchor(title: str) -> str:
    return title.partition(" ")[0].lower()


def write_report(folder: RunFolder, read: Read, target: Path | None = None) -> Path:
    """Write the report of a run to `target`, by default in the folder of the run, and return its path.

    `read` returns small files of the artifacts.
    """
    target = target or folder.report
    # JSON may contain lone surrogates, which UTF-8 cannot encode. They become question marks.
    write_bytes(target, page(RunData(folder, read)).encode(errors="replace"))
    return target


def save_report(folder: RunFolder, read: Read, emit: Callable[..., object]) -> None:
    """Write the report of a run that ends. If this fails, emit a warning event and continue."""
    try:
        write_report(folder, read)
    except Exception as error:  # an error in the report must not change the result of the run
        emit("warning", text=f"the report could not be written: {type(error).__name__}: {error}")
