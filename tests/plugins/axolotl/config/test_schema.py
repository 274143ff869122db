from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftrun.api.issues import Issue
from ftrun_plugins.axolotl.config import schema as module
from ftrun_plugins.axolotl.config.schema import check, known_keys
from ftrun_plugins.axolotl.config.schema_validator import SchemaValidator

SCHEMA: dict[str, Any] = json.loads(Path(module.__file__).with_name("schema.json").read_text(encoding="utf-8"))
PROPERTIES: dict[str, Any] = SCHEMA["properties"]
DEFINITIONS: dict[str, Any] = SCHEMA["$defs"]

ANNOTATIONS = {"default", "x-plugin", "x-deprecated", "x-meaning"}
UNDERSTOOD = {
    *("$ref", "anyOf", "type", "enum", "const", "properties", "required", "additionalProperties"),
    *("items", "prefixItems", "minItems", "maxItems"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "pattern"),
}

LIGER = "axolotl.integrations.liger.LigerPlugin"
CONFIG: dict[str, Any] = {
    "base_model": "codellama/CodeLlama-7b-Instruct-hf",
    "load_in_8bit": False,
    "strict": False,
    "datasets": [
        {
            "path": "data.jsonl",
            "ds_type": "json",
            "type": {
                "field_instruction": "question",
                "field_input": "context",
                "field_output": "answer",
                "format": "[INST] {input}\n{instruction} [/INST]",
            },
        }
    ],
    "tokens": ["[INST]", " [/INST]"],
    "special_tokens": {"pad_token": "</s>"},
    "unfrozen_parameters": None,
    "model_config": {"output_router_logits": True},
    "dataset_prepared_path": "prepared",
    "val_set_size": 0.05,
    "output_dir": "out",
    "sequence_len": 4096,
    "sample_packing": False,
    "adapter": "lora",
    "lora_r": 16,
    "lora_alpha": 32.0,
    "lora_dropout": 0,
    "lora_target_linear": True,
    "lora_modules_to_save": ["embed_tokens", "lm_head"],
    "gradient_accumulation_steps": 1,
    "micro_batch_size": 32,
    "num_epochs": 4,
    "optimizer": "adamw_torch",
    "lr_scheduler": "cosine",
    "learning_rate": "1e-4",
    "bf16": "auto",
    "gradient_checkpointing": True,
    "local_rank": None,
    "xformers_attention": None,
    "eval_steps": 0.05,
    "deepspeed": {"zero_optimization": {"stage": 3}},
    "plugins": [LIGER],
    "liger_rope": True,
}


def found(**changes: Any) -> list[Issue]:
    return check({**CONFIG, **changes})


def the_one(**changes: Any) -> Issue:
    [finding] = found(**changes)
    return finding


def test_a_real_configuration_is_clean() -> None:
    assert check(CONFIG) == []


def test_a_misspelt_key() -> None:
    assert the_one(lora_rr=8) == Issue("unknown-key", ("lora_rr",), "unknown key `lora_rr`", None, ("lora_r",))


@pytest.mark.parametrize("spelling", ["lora-r", "LORA_R", "lroa_r", "lora_r_"])
def test_the_nearest_name_sees_through_spelling(spelling: str) -> None:
    assert the_one(**{spelling: 8}).did_you_mean[0] == "lora_r"


def test_the_beginning_of_a_name_is_near() -> None:
    assert the_one(fsdp=["full_shard"]).did_you_mean[:2] == ("fsdp_config", "fsdp_version")


def test_a_misspelt_key_inside_a_list_of_alternatives() -> None:
    finding = the_one(datasets=[{"path": "a"}, {"path": "b", "type": "chat_template", "fied_messages": "messages"}])
    assert finding.path == ("datasets", 1, "fied_messages")
    assert finding.what == "unknown key `datasets[1].fied_messages`"
    assert finding.did_you_mean == ("field_messages",)


def test_a_misspelt_key_inside_an_alternative_inside_an_alternative() -> None:
    finding = the_one(datasets=[{"path": "a", "type": {"field_instructon": "q"}}])
    assert finding.what == "unknown key `datasets[0].type.field_instructon`"
    assert finding.did_you_mean[0] == "field_instruction"


def test_fixed_words_choose_the_alternative() -> None:
    finding = the_one(datasets=[{"path": "synthetic", "type": "_synthetic", "lenght": 4}])
    assert finding.did_you_mean == ("length",)


def test_the_loss_chooses_the_kind_of_dataset() -> None:
    preference = [{"path": "a", "type": {"field_chosen": "good"}}]
    assert found(rl="dpo", datasets=preference) == []
    assert the_one(datasets=preference).path == ("datasets", 0, "type", "field_chosen")
    assert the_one(rl="kto", datasets=preference).path == ("datasets", 0, "type", "field_chosen")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("micro_batch_size", "four", "`micro_batch_size` must be a whole number, not 'four'"),
        ("micro_batch_size", True, "`micro_batch_size` must be a whole number, not true"),
        ("micro_batch_size", 2.5, "`micro_batch_size` must be a whole number, not 2.5"),
        ("lora_target_linear", 1, "`lora_target_linear` must be true or false, not 1"),
        ("base_model", None, "`base_model` must be text, not null"),
        ("lora_modules_to_save", "lm_head", "`lora_modules_to_save` must be a list of text, not 'lm_head'"),
        ("lora_target_modules", 5, "`lora_target_modules` must be text or a list of text, not 5"),
        ("bf16", "atuo", "`bf16` must be one of auto, true, false, not 'atuo'"),
        ("save_strategy", False, "`save_strategy` must be one of no, steps, epoch, best, not false"),
        ("special_tokens", ["</s>"], "`special_tokens` must be a mapping, not a list"),
        ("lora_rank_pattern", {"q": 0}, "`lora_rank_pattern.q` must be a whole number greater than 0, not 0"),
        ("image_size", [1, 2, 3], "`image_size` must have exactly 2 items, not 3"),
        ("datasets", [], "`datasets` must have at least 1 item, not 0"),
        ("learning_rate", "fast", "`learning_rate` must be a number, not 'fast'"),
        ("learning_rate", True, "`learning_rate` must be a number, not true"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_accepted(key: str, value: object, message: str) -> None:
    assert the_one(**{key: value}).what == message


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("learning_rate", 1e-4),
        ("learning_rate", "2.0e-05"),
        ("micro_batch_size", 4.0),
        ("val_set_size", 1),
        ("sequence_len", 10**30),
        ("attn_implementation", "kernels-community/flash-attn3"),
        ("chat_template", "tokenizer_default_fallback_chatml"),
        ("type_of_model", "AutoModelForCausalLM"),
        ("fsdp_config", {"version": 2}),
        ("qat", {"weight_dtype": "fp8"}),
    ],
)
def test_what_axolotl_takes_is_taken(key: str, value: object) -> None:
    assert found(**{key: value}) == []


def test_a_number_that_yaml_reads_as_text_is_explained() -> None:
    assert "1.0e-8" in str(the_one(adam_epsilon="1e-8").expected)


def test_near_words_come_first_where_many_are_accepted() -> None:
    finding = the_one(optimizer="adamw_trch")
    assert finding.did_you_mean[0] == "adamw_torch"
    assert finding.what.startswith("`optimizer` must be one of adamw_torch, ")
    assert len(finding.what) < 250


def test_a_plugin_key_without_its_plugin() -> None:
    finding = the_one(plugins=None)
    assert finding.what == f"`liger_rope` has no effect without `plugins: [{LIGER}]`"
    assert finding.expected == f"plugins: [{LIGER}]"


@pytest.mark.parametrize("name", ["liger.LigerPlugin", "axolotl.integrations.liger:LigerPlugin"])
def test_other_spellings_of_a_plugin(name: str) -> None:
    assert found(plugins=[name]) == []


def test_plugins_that_are_always_active_need_no_listing() -> None:
    assert found(expert_parallel_backend="torch") == []


def test_a_deprecated_key_names_its_replacement() -> None:
    finding = the_one(flash_attention=True)
    assert finding.what == "`flash_attention` is deprecated: use `attn_implementation: flash_attention_2`"
    assert finding.expected == "attn_implementation: flash_attention_2"
    assert finding.did_you_mean == ("attn_implementation",)


def test_a_deprecated_key_that_is_switched_off_needs_no_replacement() -> None:
    assert the_one(flash_attention=False).what == "`flash_attention` is deprecated: leave it out"


def test_a_removed_key() -> None:
    assert the_one(dpo_norm_loss=True).what == "`dpo_norm_loss` no longer works: leave it out"
    assert the_one(rope_scaling={"factor": 2}).what == "`rope_scaling` no longer works: use `model_config`"


def test_missing_keys() -> None:
    finding = the_one(lr_groups=[{"name": "a", "modules": ["b"]}])
    assert finding == Issue("missing-key", ("lr_groups", 0, "lr"), "missing key `lr_groups[0].lr`", None, ())
    assert {finding.what for finding in check({})} == {
        "missing key `base_model`",
        "missing key `learning_rate`",
        "missing key `datasets` or `pretraining_dataset`",
    }


def test_all_problems_come_together_in_the_order_of_the_document() -> None:
    wrong = {"zzz": 1, **CONFIG, "lora_r": "x", "datasets": [{"path": 1, "typ": "alpaca"}], "aaa": 2}
    places = [finding.path for finding in check(wrong)]
    assert places == [("zzz",), ("datasets", 0, "path"), ("datasets", 0, "typ"), ("lora_r",), ("aaa",)]


def test_findings_are_bounded() -> None:
    long = "x" * 10_000
    wrong = {**CONFIG, "lora_r": long, "datasets": [{long: long}] * 1000, **{f"{long}{i}": i for i in range(20)}}
    findings = check(wrong)
    assert len(findings) == 50
    assert all(len(finding.what) < 250 for finding in findings)


def test_known_keys() -> None:
    assert {"lora_r", "liger_rope", "cut_cross_entropy", "kd_trainer", "model_config", "type_of_model"} <= known_keys()


def test_every_default_of_axolotl_is_accepted() -> None:
    defaults = {name: item["default"] for name, item in PROPERTIES.items() if "default" in item}
    plugins = [item["x-plugin"] for item in PROPERTIES.values() if "x-plugin" in item]
    assert check({**defaults, **CONFIG, "plugins": plugins}) == []


def subschemas(schema: Any) -> Iterator[dict[str, Any]]:
    yield schema
    children = [*schema.get("properties", {}).values(), *schema.get("anyOf", []), *schema.get("prefixItems", [])]
    children += [schema[name] for name in ("items", "additionalProperties") if isinstance(schema.get(name), dict)]
    for child in children:
        yield from subschemas(child)


def test_the_schema_uses_only_what_is_understood() -> None:
    for item in (*PROPERTIES.values(), *DEFINITIONS.values()):
        for schema in subschemas(item):
            keywords = set(schema) - ANNOTATIONS
            assert keywords <= UNDERSTOOD
            assert len(keywords) == 1 or not keywords & {"anyOf", "$ref"}


def test_every_model_is_closed_and_free_dictionaries_are_open() -> None:
    models = [SCHEMA, *(item for item in DEFINITIONS.values() if "properties" in item)]
    assert all(item["additionalProperties"] is False for item in models)
    assert found(model_kwargs={"anything": {"goes": [1]}}) == []


scalars = st.sampled_from(
    [None, True, False, 0, 1, -1, 2.0, 0.5, "", "x", "auto", "1e-4", "a/b", "_synthetic"]
) | st.floats(allow_nan=False, allow_infinity=False)
junk = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.sampled_from(["path", "x"]), scalars, max_size=2)


def values_for(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that mostly fit a schema, with mistakes at any depth."""
    if "$ref" in schema:
        return st.deferred(lambda: values_for(DEFINITIONS[schema["$ref"].rpartition("/")[2]]))
    if "anyOf" in schema:
        return st.one_of([values_for(option) for option in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"]) | scalars
    match schema.get("type"):
        case "object":
            fields = {name: values_for(item) for name, item in schema.get("properties", {}).items()}
            known = st.fixed_dictionaries({}, optional=fields) if len(fields) < 8 else few_of(fields)
            return st.builds(lambda right, wrong: right | wrong, known, st.just({}) | st.just({"x": 1})) | junk
        case "array":
            return st.lists(values_for(schema.get("items", {})), max_size=3) | junk
        case "integer" | "number":
            return st.integers(-2, 3) | st.floats(-2, 3) | scalars
        case _:
            return junk


def few_of(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    names = st.lists(st.sampled_from(sorted(fields)), max_size=4, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: fields[name] for name in chosen}))


@given(data=st.data(), name=st.sampled_from(sorted(PROPERTIES)))
def test_verdicts_are_those_of_jsonschema(data: st.DataObject, name: str) -> None:
    value = data.draw(values_for(PROPERTIES[name]))
    valid = jsonschema.Draft202012Validator({**PROPERTIES[name], "$defs": DEFINITIONS}).is_valid(value)
    assert (next(SchemaValidator(DEFINITIONS).find_issues(value, PROPERTIES[name]), None) is None) == valid
