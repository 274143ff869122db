"""`ftrun preview` with the real trainer: what it shows is what `tokenize` makes, with torch and without."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from helpers.hub import TOKEN, Hub
from helpers.workplace import PROJECT, SCRIPTS, Workplace, trainer_python

if TYPE_CHECKING:
    from conftest import Finished

pytestmark = pytest.mark.e2e

TEMPLATES = (
    "alpaca", "chatml", "mistral_v1", "mistral_v2v3", "mistral_v3_tekken", "llama3", "llama4", "gemma", "phi_3",
    "phi_35", "qwen3", "qwen_25", "command_a", "deepseek_v2", "deepseek_v3", "exaone", "jamba", "metharme", "cohere",
    "falcon_h1",
)  # fmt: skip
TALK = [
    {"role": "user", "content": "Grüße, 你好 🎉?"},
    {"role": "assistant", "content": " Two  spaces\n\tand <|im_end|> as text"},
    {"role": "user", "content": "again"},
    {"role": "assistant", "content": "Done."},
]
LONG = [{"role": "user", "content": "word " * 600}, {"role": "assistant", "content": "no"}]
SEGMENTS = [{"text": "Q: 1+1\nA:", "label": False}, {"text": " 2", "label": True}]
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]


def request(model: Path, kind: str, examples: list[dict[str, Any]], dataset: Any = None, **trainer: Any) -> Any:
    params = {
        "trainer": {"sequence_len": 512, **trainer},
        "dataset": dataset or {},
        "trust_remote_code": False,
        "max_cut": 0.02,
        "untrained_end_of_turn": False,
        "pack_held_out": False,
    }
    placed = [{"place": f"rows.jsonl:{number}", **example} for number, example in enumerate(examples, 1)]
    return {"params": params, "kind": kind, "model": str(model), "examples": placed}


def requests(model: Path) -> list[Any]:
    system = [{"role": "system", "content": "Be brief."}, *TALK]
    chats = [{"messages": TALK}, {"messages": system}, {"messages": LONG}, {"messages": TALK, "tools": TOOLS}]
    quick = [json.loads(line) for line in (PROJECT / "data/quickstart_sql/train.jsonl").read_text().splitlines()[:100]]
    texts = [{"text": "once upon a time"}, {"text": "word " * 600}]
    return [
        *(request(model, "chat", chats[:1], chat_template=name) for name in TEMPLATES),
        request(model, "chat", chats),
        request(model, "chat", [{"messages": row["messages"]} for row in quick]),
        request(model, "chat", chats, excess_length_strategy="truncate"),
        request(model, "chat", chats, {"train_on_eos": "all", "roles_to_train": ["user", "assistant"]}),
        request(model, "chat", chats, chat_template="chatml", special_tokens={"pad_token": "<pad>"}, tokens=["<x>"]),
        request(model, "chat", chats, chat_template="chatml", default_system_message="Say nothing."),
        request(model, "segments", [{"segments": SEGMENTS}]),
        request(model, "segments", [{"segments": SEGMENTS}], train_on_inputs=True),
        request(model, "text", texts),
        request(model, "text", texts, excess_length_strategy="truncate"),
    ]


@pytest.mark.slow
def test_without_torch_all_tokens_are_the_same(tiny: Path, tmp_path: Path) -> None:
    asked = tmp_path / "requests.json"
    asked.write_text(json.dumps(requests(tiny)))
    found = {}
    for how in ("light", "whole"):
        answers = tmp_path / f"{how}.json"
        folders = [str(PROJECT / "runner"), str(PROJECT / "plugins")]
        command = [trainer_python(), "-I", str(SCRIPTS / "preview_rows.py"), how, *folders, str(asked), str(answers)]
        subprocess.run(
            command, check=True, timeout=400, env={**os.environ, "HF_HUB_OFFLINE": "1", "AXOLOTL_DO_NOT_TRACK": "1"}
        )
        found[how] = json.loads(answers.read_text())
    assert found["light"]["torch"] == "_Module"
    assert found["whole"]["torch"] == "module"
    for one, other, what in zip(found["light"]["found"], found["whole"]["found"], requests(tiny), strict=True):
        assert one == other, what["params"]
    with_rows = [answer for answer in found["whole"]["found"] if "rows" in answer]
    assert len(with_rows) == len(requests(tiny)), [answer.get("raised") for answer in found["whole"]["found"]]


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


def test_nothing_has_to_be_made_for_a_preview(workplace: Workplace) -> None:
    found = workplace.run("preview", "recipe=tiny.yaml", "--longest", "-n", "2", "dataset.formatter.name=auto")
    assert "auto chose chat: " in found.out
    assert "⟦SELECT" in found.out
    assert "⟨<|im_end|>⟩⟧" in found.out
    assert not list(workplace.store.glob("artifacts/*"))
    assert workplace.runs() == []


def test_rows_that_format_rejects_tell_why(workplace: Workplace) -> None:
    with (workplace.folder / "train.jsonl").open("a") as file:
        file.write('{"messages": [{"role": "user", "content": "and?"}]}\n')
    last = workplace.run("preview", "recipe=tiny.yaml", "--row", "train.jsonl:41").out
    assert "train.jsonl:41  rejected: " in last
    first = workplace.run("preview", "recipe=tiny.yaml").out
    assert "a run would stop: 1 of 51 rows are bad" in first
    assert "train.jsonl:1 " in first


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
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
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
