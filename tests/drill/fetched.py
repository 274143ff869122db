"""What the drill fetches: a package that is converted, a file from a URL, and a model of a hub, from slow servers."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from phases import CONVERTED_MODEL, DOWNLOADED_FILE, DOWNLOADED_MODEL, INSTALLED_PACKAGE, Phase

from helpers.hub import Hub
from helpers.workplace import QUICKSTART_DATA, tiny_model

PAUSE = 0.05  # seconds between two blocks of a slow server
HEAD = "# What the drill fetches.\ntrain: {learning_rate: 1e-3, sequence_len: 256, micro_batch_size: 1}\n"


@dataclass(frozen=True)
class Fetched:
    """Something to fetch, with the recipe that does so and the phases of that."""

    name: str
    phases: tuple[Phase, ...]
    arguments: tuple[str, ...]
    recipe: Callable[[str], str] | None = None  # of the address of a server
    serve: Callable[[Path], None] | None = None  # writes what a server sends

    @contextmanager
    def served(self) -> Iterator[None]:
        """Serve what is fetched within the block."""
        if self.serve is None:
            yield
            return
        with TemporaryDirectory() as folder:
            self.serve(Path(folder))
            with Hub(Path(folder), pause=PAUSE) as hub:
                os.environ.update(HF_ENDPOINT=hub.url, NO_PROXY="127.0.0.1")
                yield
                del os.environ["HF_ENDPOINT"]

    def write(self, folder: Path) -> None:
        """Write the recipe into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.recipe is not None:
            (folder / "fetched.yaml").write_text(HEAD + self.recipe(os.environ["HF_ENDPOINT"]))
            (folder / "rows.jsonl").write_text((QUICKSTART_DATA / "train.jsonl").read_text())


def _serve_model(folder: Path) -> None:
    for path in tiny_model().iterdir():
        if path.name != "manifest.json":
            (folder / path.name).write_bytes(path.read_bytes())


ROWS = "".join(json.dumps({"text": f"row {number} " + "x" * 4000}) + "\n" for number in range(1500)).encode()


def _serve_rows(folder: Path) -> None:
    (folder / "rows.jsonl").write_bytes(ROWS)


def _recipe_of_rows(url: str) -> str:
    digest = hashlib.sha256(ROWS).hexdigest()
    source = f"{{name: url, url: '{url}/a/b/resolve/x/rows.jsonl', sha256: {digest}}}"
    return (
        f"model: {{base_model: a/b}}\nstages: [fetch, format]\n"
        f"dataset: {{source: {source}, formatter: {{name: completion}}}}\n"
    )


def _recipe_of_model(url: str) -> str:
    return (
        "defaults:\n  - override /dataset: jsonl_chat\nmodel: {base_model: some/tiny, revision: main}\n"
        "dataset: {source: {path: rows.jsonl}}\nstages: [fetch]\n"
    )


FETCHES = (
    Fetched(
        "package",
        (INSTALLED_PACKAGE, CONVERTED_MODEL),
        ("run", "recipe=quickstart", "stages=[fetch]"),
    ),
    Fetched("file", (DOWNLOADED_FILE,), ("run", "recipe=fetched.yaml"), _recipe_of_rows, _serve_rows),
    Fetched("hub", (DOWNLOADED_MODEL,), ("run", "recipe=fetched.yaml"), _recipe_of_model, _serve_model),
)
