"""The schema accepts what ftrun accepts, finds misspelt keys, and says what each key means."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from omegaconf import OmegaConf

from ftrun.api.errors import InvalidInput
from ftrun.api.recipe import Recipe
from ftrun.cli.main import run_command
from ftrun.plugins.manager import plugins
from ftrun_plugins.axolotl.config.json_schema import load_descriptions
from ftrun_plugins.axolotl.config.schema import known_keys
from ftrun_plugins.schema.key import find
from ftrun_plugins.schema.recipe import recipe_schema
from helpers.numeric_keys import bounds, numeric_keys

ROOT = Path(__file__).parents[3]
RECIPES = sorted((ROOT / "recipes").rglob("*.yaml"))
FORBIDDEN = ("torch", "transformers", "modal", "gradio", "pandas")


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return recipe_schema(plugins())


def problems(schema: dict[str, Any], text: str) -> list[str]:
    # OmegaConf's reading of YAML is that of recipes: 1e-4 is a number there
    values = OmegaConf.to_container(OmegaConf.create(text), resolve=False)
    return [error.message for error in Draft202012Validator(schema).iter_errors(values)]


def test_the_schema_is_one(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    text = json.dumps(schema)
    references = {part.partition('"')[0] for part in text.split('"$ref": "#/$defs/')[1:]}
    assert len(references) > 30
    assert references <= set(schema["$defs"])


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_every_recipe_fits(schema: dict[str, Any], file: Path) -> None:
    assert problems(schema, file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "defaults: [{override /optimizations: [lora, sample_packing]}, {override /model: smollm2_135m_instruct}]",
        "defaults: [quickstart, _self_]",
        "dataset: {source: {path: rows.jsonl}, formatter: {name: template, prompt: '{q}', answer: '{a}'}}",
        "dataset: {held_out: null, split: {held_out: 0.1}}",
        "evals: {polite: {evaluator: judge, model: m, gate: {min: 0.5}}, exact_match: {ignore_case: true}}",
        "backend: {name: modal, volume: v}",
        "train: {learning_rate: 1e-4, lora_r: '${optimizations.lora.lora_r}', deepspeed: {zero_stage: 2}}",
        "optimizations: {lora: {lora_r: 32}, mine: {bf16: true}}",
        "model: {weights: {origin: folder, path: here}, trainer: {chat_template: chatml}}",
        "resources: {train: {gpu: 'H100:2'}, serve: {gpu: 1}}",
        "stages: [fetch, format]",
        "generate: {rows: '${train.max_steps}'}",
        "train: {max_steps: -1, num_epochs: 0.5, learning_rate: '1e-4', rl: null, streaming: false}",
        "dataset: {source: null, parts: {a: {source: {name: jsonl, path: a.jsonl}, weight: 2}}}",
        "dataset: {filters: [{column: q, min_characters: 3}], limit: 50}",
    ],
)
def test_what_is_right_fits(schema: dict[str, Any], text: str) -> None:
    assert problems(schema, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "trian: {learning_rate: 1e-4}",
        "train: {learing_rate: 1e-4}",
        "train: {lora_r: many}",
        "train: {base_model: x}",
        "train: {num_epochs: 0}",
        "train: {learning_rate: 10}",
        "train: {rl: dpo}",
        "optimizations: {lora: {lora_rr: 8}}",
        "optimizations: {mine: {lora_rr: 8}}",
        "dataset: {source: {pth: rows.jsonl}}",
        "dataset: {source: {name: jsonl, url: x}}",
        "dataset: {on_bad_row: ignore}",
        "dataset: {trainer: {train_on_eoss: all}}",
        "evals: {exact_match: {ignore_cas: true}}",
        "evals: {mine: {evaluator: nobody}}",
        "backend: {name: modal, volum: v}",
        "defaults: [{override /model: nothing}]",
        "defaults: [{override /modle: smollm2_135m_instruct}]",
        "model: {context_length: -1}",
        "resources: {trian: {gpu: 1}}",
        "stages: [fetsch]",
        "settings: {nobody: {}}",
        "name: mine",
        "dataset: {parts: {a: {source: {name: jsonl, pth: a.jsonl}}}}",
        "dataset: {filters: [{colum: q}]}",
    ],
)
def test_what_is_wrong_does_not(schema: dict[str, Any], text: str) -> None:
    assert problems(schema, text)


def owned(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The keys that are ftrun's own or its parts'."""
    yield from schema["properties"].items()
    for name, inner in schema["$defs"].items():
        if not name.startswith("axolotl."):
            yield from ((f"{name}.{key}", value) for key, value in inner.get("properties", {}).items())


def test_every_key_of_our_own_says_what_it_means(schema: dict[str, Any]) -> None:
    silent = [key for key, value in owned(schema) if not value.get("description")]
    assert len(list(owned(schema))) > 100
    assert silent == []


def test_keys_of_the_recipe_itself_have_a_text_each(schema: dict[str, Any]) -> None:
    """And not only what their section says of itself."""
    texts = [value["description"] for key, value in schema["properties"].items() if key != "defaults"]
    assert Recipe.__doc__ not in texts
    assert len(set(texts)) == len(texts)


def test_common_keys_of_the_trainer_are_described(schema: dict[str, Any]) -> None:
    texts = load_descriptions()
    assert len(texts["trainer"]) >= 80
    assert set(texts["trainer"]) <= known_keys()
    assert set(texts["dataset"]) <= set(schema["$defs"]["axolotl.SFTDataset"]["properties"])
    for file in [*RECIPES, *sorted((ROOT / "conf" / "optimizations").glob("*.yaml"))]:
        values: Any = OmegaConf.to_container(OmegaConf.load(file))
        section = values.get("train", {}) if file in RECIPES else next(iter(values.values()))
        missing = [key for key in section if key not in texts["trainer"]]
        assert missing == [], file.name


def test_a_key_is_found_by_its_path_and_by_its_name(schema: dict[str, Any]) -> None:
    by_path, by_name = find("train.learning_rate", schema), find("learning_rate", schema)
    assert by_path == by_name
    assert by_path.path == "train.learning_rate"
    assert by_path.accepts == "a number in quotes or a number greater than 0 and of at most 1"
    assert "warmup" in by_path.meanings[""]
    assert find("evals.mine.gate.min", schema).accepts == "a number"
    assert "lora_r" in find("optimizations.lora", schema).keys
    assert find("dataset.source", schema).accepts == "a mapping"


def test_a_key_of_several_parts_is_told_for_each(schema: dict[str, Any]) -> None:
    path = find("dataset.source.path", schema)
    assert {"csv", "json", "jsonl", "parquet"} <= set(path.meanings)
    assert "url" not in path.meanings
    name = find("dataset.source.name", schema)
    assert "installed package" in name.meanings["python_docs"]
    assert "python_docs" in str(name.accepts)
    assert list(find("evals.mine.gate", schema).meanings) == [""]


def test_options_of_groups_say_what_they_are(schema: dict[str, Any]) -> None:
    assert "low-rank adapters" in find("optimizations.lora", schema).meanings[""]
    models = schema["properties"]["defaults"]["items"]["anyOf"][0]["properties"]["override /model"]["anyOf"]
    assert {one["const"]: "description" in one for one in models}["qwen3_4b_instruct"]
    assert all("description" in one for one in models)


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("train.learing_rate", "learning_rate"),
        ("learing_rate", "train.learning_rate"),
        ("trian", "train"),
        ("dataset.sorce", "source"),
        ("dataset.source.pth", "path"),
    ],
)
def test_a_misspelt_key_is_told_the_nearest(schema: dict[str, Any], path: str, near: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        find(path, schema)
    assert near in caught.value.problems[0].did_you_mean


def test_the_verb_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["schema", "--output", str(tmp_path / "schema.json")]) == 0
    assert json.loads((tmp_path / "schema.json").read_text())["properties"]["train"]
    capsys.readouterr()
    assert run_command(["schema", "--key", "lora_r"]) == 0
    assert capsys.readouterr().out.startswith("train.lora_r\n  Rank")
    assert run_command(["schema", "--key", "nothing_like_it"]) == 2


def test_nothing_heavy_is_imported() -> None:
    code = "import sys; from ftrun.cli.main import run_command; run_command(['schema', '--key', 'lora_r']); "
    code += f"print([name for name in {FORBIDDEN} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"


# Numbers that need no bounds: scores and values of columns have different units, and a function checks GPUs.
UNBOUNDED = (
    *("gate.min", "gate.max", "gate.min_gain_over_base", "filters[].equals", "filters[].one_of[]"),
    *("filters[].none_of[]", "filters[].min", "filters[].max", "gpu"),
)
OF_THE_TRAINER = ("train.", "model.trainer.", "optimizations.", "dataset.trainer.")  # `test_key_ranges.py` has these


def test_each_number_of_a_recipe_has_bounds(schema: dict[str, Any]) -> None:
    found = {key: options for key, options in numeric_keys(schema).items() if not key.startswith(OF_THE_TRAINER)}
    assert len(found) > 80
    open_ended = [key for key, options in found.items() if not all(map(bounds, options))]
    assert [key for key in open_ended if not key.endswith(UNBOUNDED)] == []
