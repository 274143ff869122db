"""Plans and runs the stage `format` in this process, as the scheduler does in others: on rows, bytes or any path."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from ftrun.api.context import Reporter, StageContext
from ftrun.api.recipe import Recipe
from ftrun.api.stage_call import StageCall
from ftrun.planning.planner import Planner
from ftrun.plugins.manager import Plugins
from ftrun.utils.digests import FileDigests
from ftrun_plugins.data.format import plugin as formatting_plugin
from ftrun_plugins.data.format.stage import Format
from ftrun_plugins.data.formatters import plugin as formatters_plugin
from ftrun_plugins.data.sources import plugin as sources_plugin

# What planner asks of a backend where a source needs the trainer's packages.
BACKEND: Any = SimpleNamespace(environment_digest=lambda name: "0" * 16)


def written(path: Path, data: bytes | Sequence[Any]) -> Path:
    """The file, with bytes as they are or with rows as JSON Lines."""
    if not isinstance(data, bytes):
        data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in data).encode()
    path.write_bytes(data)
    return path


def formatted(
    folder: Path,
    source: Path | Mapping[str, Any] | None,
    formatter: Mapping[str, Any],
    *third: ModuleType,
    **dataset: Any,
) -> Path:
    """The artifact. Raises what the stage raises, in planner or running."""
    plugins = Plugins()
    for module in (sources_plugin, formatters_plugin, formatting_plugin, *third):
        plugins.load(module, module.__name__, "tests")
    named = {"name": "jsonl", "path": str(source)} if isinstance(source, Path) else source
    values = {"source": named, "formatter": formatter, **dataset}
    recipe = Recipe.model_validate(
        {"name": "test", "model": {"base_model": "m"}, "dataset": values, "backend": {"name": "none"}}
    )
    planner = Planner(recipe, plugins, BACKEND, FileDigests(folder / "digests.json"))
    (planned,) = Format().plan(recipe, planner)
    call = StageCall.model_validate_json(planned.model_dump_json())  # as it travels to the stage's process
    output = folder / "output"
    output.mkdir()
    files = {digest: Path(path) for digest, path in call.files.items()}
    Format().run(call, StageContext(output, folder, {}, files, Reporter("format", folder / "events")))
    return output


def read_json(source: Path | str) -> Any:
    """What a file, or a line, holds."""
    return json.loads(source.read_text() if isinstance(source, Path) else source)


def examples(artifact: Path, split: str = "train") -> list[dict[str, Any]]:
    """Examples of a split."""
    return [json.loads(line) for line in (artifact / f"{split}.jsonl").read_bytes().splitlines()]
