"""Importer of fine-tuning jobs of OpenAI: what the API returns for a job, or the request that creates one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftrun.api.issues import KeyPath
from ftrun_plugins.importing.draft import ImportContext, RecipeDraft, Recorder
from ftrun_plugins.importing.openai.hyperparameters import read_hyperparameters

MODEL = "qwen3_4b_instruct"  # calls tools, and needs no account
SEQUENCE_LEN = 4096
METHODS = {
    "dpo": ("training by preferences", "write the preferred answers as conversations and train on them"),
    "reinforcement": ("training by rewards", "train on good answers: files with a message of the assistant at the end"),
}
RESULTS = "it describes the finished job"
LEFT_OUT = {
    **dict.fromkeys(
        (
            "id", "object", "created_at", "finished_at", "estimated_finish", "status", "error", "fine_tuned_model",
            "result_files", "trained_tokens", "usage_metrics", "checkpoints", "eval_id",
        ),
        RESULTS,
    ),
    **dict.fromkeys(
        ("organization_id", "user_id", "metadata", "shared_with_openai"), "it belongs to the account at OpenAI"
    ),
    "suffix": "a run has the name of the recipe file",
    "user_provided_suffix": "a run has the name of the recipe file",
}  # fmt: skip


def read(values: dict[str, Any], context: ImportContext) -> RecipeDraft:
    """Return the recipe for a fine-tuning job."""
    draft = RecipeDraft("OpenAI")
    record = Recorder(draft, context)
    draft.choose("model", MODEL)
    draft.choose("optimizations", ["lora", "gradient_checkpointing"])
    _read_model(values, record)
    dataset = _read_files(values, record)
    _read_method(values, record)
    train = {"sequence_len": SEQUENCE_LEN, **read_hyperparameters(values, record)}
    train |= {"lr_scheduler": "cosine", "warmup_ratio": 0.05, **_read_integrations(values, record)}
    if isinstance(values.get("seed"), int):
        train["seed"] = values["seed"]
        record.exact(("seed",), "train.seed")
    if "held_out" in dataset:
        draft.choose("evals", ["held_out_loss"])
    draft.values |= {"dataset": dataset, "train": train}
    _record_others(values, record)
    draft.entries.sort(key=lambda entry: entry.line or 0)
    draft.notes.append(
        f"The job does not say: lora, sequence_len {SEQUENCE_LEN}, lr_scheduler and warmup_ratio are choices of ftrun."
    )
    return draft


def _read_model(values: Mapping[str, Any], record: Recorder) -> None:
    name = str(values.get("model", ""))
    reason = f"the weights of `{name[:80]}` are not open; `{MODEL}` is a proposal, so choose a model that fits"
    record.check(("model",), "defaults", reason)


def _read_files(values: Mapping[str, Any], record: Recorder) -> dict[str, Any]:
    """Return the section `dataset`. The ids of files stand for files that the user downloads."""
    dataset: dict[str, Any] = {}
    for key, section in (("training_file", "source"), ("validation_file", "held_out")):
        name = values.get(key)
        if not isinstance(name, str) or not name:
            record.exact((key,)) if key in values else None
            continue
        file = name if name.endswith(".jsonl") else f"{name}.jsonl"
        dataset[section] = {"name": "jsonl", "path": record.context.relative(file)}
        if record.context.find(file):
            record.exact((key,), f"dataset.{section}.path")
        else:
            reason = (
                f"download the file with `curl https://api.openai.com/v1/files/{name}/content -H "
                f'"Authorization: Bearer $OPENAI_API_KEY" -o {file}`, or name your copy'
            )
            record.check((key,), f"dataset.{section}", reason)
    return {**dataset, "formatter": {"name": "chat"}}


def _read_method(values: Mapping[str, Any], record: Recorder) -> None:
    method = values.get("method")
    if not isinstance(method, dict):
        record.exact(("method",)) if "method" in values else None
        return
    kind = str(method.get("type", "supervised"))
    if kind in METHODS:
        reason, hint = METHODS[kind]
        record.refuse(("method", "type"), f"`method` is `{kind}`, {reason}; ftrun trains on answers", hint)
    elif kind != "supervised":
        record.refuse(("method", "type"), f"`method` is `{kind[:40]}`", "use supervised")
    else:
        record.exact(("method", "type"), "dataset.formatter")
    for key in method.keys() - {"type", kind}:
        record.exact(("method", str(key)))  # null for the other methods


def _read_integrations(values: Mapping[str, Any], record: Recorder) -> dict[str, Any]:
    """Return the trainer keys of Weights & Biases."""
    keys: dict[str, Any] = {}
    given = values.get("integrations")
    for index, entry in enumerate(given if isinstance(given, list) else ()):
        path: KeyPath = ("integrations", index)
        wandb = entry.get("wandb") if isinstance(entry, dict) else None
        if not isinstance(wandb, dict):
            record.leave_out(path, "ftrun has no such tracker")
            continue
        names = {"project": "wandb_project", "name": "wandb_name", "entity": "wandb_entity"}
        keys |= {name: wandb[key] for key, name in names.items() if wandb.get(key)}
        record.exact(path, "train.wandb_project")
    if "integrations" in values and not given:
        record.exact(("integrations",))
    return keys


def _record_others(values: Mapping[str, Any], record: Recorder) -> None:
    known = {"model", "training_file", "validation_file", "hyperparameters", "method", "seed", "integrations"}
    for key, value in values.items():
        if key in known and not (key == "seed" and not isinstance(value, int)):
            continue
        if key in LEFT_OUT:
            record.leave_out((key,), LEFT_OUT[key])
        elif value in (None, [], {}, ""):
            record.exact((key,))
        else:
            record.check((key,), None, "ftrun does not know it; look whether it changes the training")
