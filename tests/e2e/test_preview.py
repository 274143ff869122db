"""`ftrun preview` with the real trainer: it shows what `tokenize` makes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from helpers.hub import TOKEN, Hub, set_endpoint
from helpers.workplace import Workplace

if TYPE_CHECKING:
    from conftest import Finished

pytestmark = pytest.mark.e2e


def test_a_preview_shows_the_tokens_that_a_run_trains_on(finished: Finished) -> None:
    workplace = finished.workplace
    shown = json.loads(workplace.run("preview", "recipe=tiny.yaml", "-n", "40", "--json").out)
    sample = [json.loads(line) for line in (finished.artifact("tokenize") / "sample.jsonl").read_text().splitlines()]
    trained = {row["index"]: row for row in sample if row["split"] == "train"}
    assert len(trained) > 20
    for index, row in trained.items():
        assert shown["rows"][index]["ids"] == row["ids"]
        assert shown["rows"][index]["labels"] == row["labels"]
        assert shown["rows"][index]["place"] == f"train.jsonl:{index + 1}"
    assert shown["totals"]["train"]["tokens"] == sum(row["tokens"] for row in shown["rows"])


@pytest.mark.slow
def test_nothing_has_to_be_made_for_a_preview(workplace: Workplace) -> None:
    found = workplace.run("preview", "recipe=tiny.yaml", "--longest", "-n", "2", "dataset.formatter.name=auto")
    assert "auto chose chat: " in found.out
    assert "⟦SELECT" in found.out
    assert "⟨<|im_end|>⟩⟧" in found.out
    assert not list(workplace.store.glob("artifacts/*"))
    assert workplace.runs() == []


@pytest.mark.slow
def test_rows_that_format_rejects_tell_why(workplace: Workplace) -> None:
    with (workplace.folder / "train.jsonl").open("a") as file:
        file.write('{"messages": [{"role": "user", "content": "and?"}]}\n')
    last = workplace.run("preview", "recipe=tiny.yaml", "--row", "train.jsonl:41").out
    assert "train.jsonl:41  rejected: " in last
    first = workplace.run("preview", "recipe=tiny.yaml").out
    assert "a run would stop: 1 of 51 rows are bad" in first
    assert "train.jsonl:1 " in first


@pytest.mark.slow
def test_a_row_that_is_too_long_says_so(workplace: Workplace) -> None:
    dropped = workplace.run("preview", "recipe=tiny.yaml", "train.sequence_len=40", "-n", "1").out
    assert "too long by" in dropped
    assert "it is dropped" in dropped
    how = ("train.sequence_len=70", "train.excess_length_strategy=truncate")
    cut = json.loads(workplace.run("preview", "recipe=tiny.yaml", "--longest", "-n", "1", "--json", *how).out)
    row = cut["rows"][0]
    assert not row["dropped"]
    assert row["too_many"] == row["tokens"] - 70 > 0
    assert sum(piece["tokens"] for piece in row["pieces"] if piece["beyond"]) == row["too_many"]


def test_of_a_model_on_the_hub_only_the_tokenizer_is_downloaded(
    tiny: Path, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Hub(tiny) as hub:
        set_endpoint(hub.url, monkeypatch)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        model = ("model.base_model=gated/tiny", "model.revision=main", "model.weights.origin=hub")
        found = workplace.run("preview", "recipe=tiny.yaml", "-n", "1", *model)
        assert "⟦SELECT" in found.out
        assert "downloading the tokenizer of gated/tiny, without the weights" in found.err
        asked = [request for request in hub.requests if "safetensors" in request]
        assert asked == []
        before = len(hub.requests)
        assert workplace.run("preview", "recipe=tiny.yaml", "-n", "1", *model).out == found.out
        assert not [request for request in hub.requests[before:] if "/resolve/" in request]
    assert not list(workplace.store.glob("artifacts/*"))
