"""The whole page, and the file it becomes: made where a run ends, and again whenever somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ftrun.api.paths import RunFolder
from ftrun.report.html import Html, element, join
from ftrun.report.redaction import redact_text
from ftrun.report.run_data import RunData
from ftrun.report.sections.data import data
from ftrun.report.sections.evaluation import evaluation
from ftrun.report.sections.provenance import surroundings
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
    "Versions and hardware": surroundings,
}


def page(material: RunData) -> str:
    """The HTML of a report, without secrets."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{material.record.id}: report"),
        element("style", Html(STYLE)),
    )
    found = {title: content for title, make in SECTIONS.items() if (content := join(make(material)))}
    links = (element("a", title, href=f"#{_anchor(title)}") for title in found)
    main = element(
        "main",
        summary(material),
        element("nav", links, aria_label="Sections"),
        (element("section", element("h2", title), content, id=_anchor(title)) for title, content in found.items()),
    )
    whole = element("html", head, element("body", main), lang="en")
    secrets = {name for call in material.plan.calls for name in (*call.secrets, *call.optional_secrets)}
    return redact_text(f"<!doctype html>\n{whole}\n", secrets)


def _anchor(title: str) -> str:
    return title.partition(" ")[0].lower()


def write_report(folder: RunFolder, read: Read, target: Path | None = None) -> Path:
    """Makes the report of a run, by default in its folder; `read` gives small files of its artifacts."""
    target = target or folder.report
    # half a character, which JSON can hold and a file in UTF-8 cannot, becomes a question mark
    write_bytes(target, page(RunData(folder, read)).encode(errors="replace"))
    return target


def save_report(folder: RunFolder, read: Read, tell: Callable[..., object]) -> None:
    """Makes the report of a run that ends. One that cannot be made is a warning and nothing more."""
    try:
        write_report(folder, read)
    except Exception as error:  # whatever it is: the run's result counts, not how it is shown
        tell("warning", text=f"the report could not be made: {type(error).__name__}: {error}")
