"""Model, tokens, chat template and trackers of a LLaMA-Factory configuration."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from ftrun_plugins.importing.axolotl.model import read_model as read_model_section
from ftrun_plugins.importing.draft import Entry
from ftrun_plugins.importing.llama_factory.settings import Settings
from ftrun_plugins.importing.llama_factory.templates import LINE_BREAK, TEMPLATES, TOOLS, Template

QUANTIZED = re.compile(r"awq|gptq|aqlm|\bint4\b|[-_]4bit|[-_]8bit", re.IGNORECASE)
NAMES = {"model_name_or_path": "base_model", "model_revision": "revision_of_model"}
EMBEDDINGS = (
    "LLaMA-Factory then also trains the embeddings; to do so, set train.lora_modules_to_save=[embed_tokens, lm_head]"
)
TRACKERS = {"tensorboard": "use_tensorboard", "mlflow": "use_mlflow", "trackio": "use_trackio", "comet_ml": "use_comet"}


def read_model(settings: Settings, tools: bool) -> dict[str, Any]:
    """Return the section `model`, and set the trainer keys of tokens and the chat template.

    Args:
        settings: The settings of the configuration.
        tools: True if the rows have tools.
    """
    draft, values = settings.record.draft, dict(settings.values)
    name = str(values.get("model_name_or_path", ""))
    revision = values.get("model_revision", "main")
    asked: dict[str, Any] = {"base_model": name, "sequence_len": settings.train.get("sequence_len")}
    if revision != "main":
        asked["revision_of_model"] = revision
    if "trust_remote_code" in values:
        asked["trust_remote_code"] = values["trust_remote_code"]
    start = len(draft.entries)
    section = read_model_section(asked, settings.record)
    draft.entries[start:] = [_rename(entry, settings) for entry in draft.entries[start:]]
    settings.done |= {"model_name_or_path", "trust_remote_code"} | ({"model_revision"} if revision != "main" else set())
    settings.exact("model_revision")
    if QUANTIZED.search(PurePath(name).name):
        what = f"`{name}` has weights that are already quantized, into which an adapter cannot be merged"
        settings.record.refuse(("model_name_or_path",), what, "use the original weights with quantization_bit: 4")
    _read_tokens(settings)
    _read_template(settings, tools)
    return section


def _rename(entry: Entry, settings: Settings) -> Entry:
    """Return an entry of axolotl's importer with the key of LLaMA-Factory."""
    key = next((name for name, other in NAMES.items() if other == entry.key), entry.key)
    reason = entry.reason.replace("base_model", "model_name_or_path")
    line = settings.record.context.line(key)
    return Entry(key, line, entry.outcome, entry.target, reason, entry.hint, entry.did_you_mean)


def _read_tokens(settings: Settings) -> None:
    tokens: list[str] = []
    for key in ("add_tokens", "add_special_tokens"):
        if listed := settings.get(key):
            tokens += [token.strip() for token in str(listed).split(",")]
            settings.check(key, "train.tokens", "the trainer adds the tokens; look at them with `ftrun preview`")
        settings.exact(key)
    if tokens:
        settings.train["tokens"] = tokens
    trains = settings.get("finetuning_type", "lora") == "lora" and not settings.get("additional_target")
    if settings.get("resize_vocab") and trains:
        settings.check("resize_vocab", None, EMBEDDINGS)
    settings.leave_out("resize_vocab", "the trainer resizes the vocabulary if there are new tokens")
    settings.leave_out("init_special_tokens", "new tokens begin with the mean of the others")
    if settings.get("use_fast_tokenizer", True) is False:
        settings.set("use_fast_tokenizer", "tokenizer_use_fast", False)
    settings.exact("use_fast_tokenizer")


def _read_template(settings: Settings, tools: bool) -> None:
    if settings.get("stage", "sft") == "pt":
        settings.leave_out("template", "plain texts have no chat template")
        return
    name = settings.get("template")
    if name is None:
        reason = "without `template`, LLaMA-Factory reads the chat template of the tokenizer, and so does the trainer"
        settings.check("template", None, f"{reason}; compare with `ftrun preview`")
        return
    template = TEMPLATES.get(str(name), Template())
    if template.refused:
        settings.refuse("template", f"`template` is `{name}`: {template.refused}", "use a model and rows of text only")
        return
    if tools and template.name:
        template = replace(template, name=None, is_same=False, reason=TOOLS)
    if template.name:
        settings.train["chat_template"] = template.name
    if template.end_of_turn:
        settings.train["special_tokens"] = {"eos_token": template.end_of_turn}
    target = "train.chat_template" if template.name else None
    if template.trains_line_break and template.name:
        settings.record.draft.notes.append(LINE_BREAK)
    if template.is_same and template.reason:
        settings.changed("template", target, template.reason)
    elif template.is_same:
        settings.exact("template", target)
    else:
        settings.check("template", target, template.reason)
    for key in ("enable_thinking", "preserve_thinking"):
        if template.thinks and key in settings.values:
            settings.check(key, None, f"set model.template: {{{key}: …}} if the template of the model reads it")
        settings.leave_out(key, "the template has no thoughts")


def read_trackers(settings: Settings) -> None:
    """Set the trainer keys of trackers."""
    given = settings.get("report_to")
    names = given if isinstance(given, list) else [given] if given else []
    for name in map(str, names):
        if name in ("wandb", "all"):
            settings.train |= {"wandb_project": str(settings.get("project") or "llamafactory")}
            if run := settings.get("run_name"):
                settings.set("run_name", "wandb_name", run)
            reason = "LLaMA-Factory reads the project from WANDB_PROJECT; set its name"
            settings.check("report_to", "train.wandb_project", reason)
        elif name in TRACKERS:
            settings.train[TRACKERS[name]] = True
            settings.exact("report_to", f"train.{TRACKERS[name]}")
        elif name != "none":
            settings.leave_out("report_to", f"ftrun has no tracker `{name[:40]}`; the report has the loss curve")
    settings.exact("report_to")
    settings.leave_out("use_swanlab", "ftrun has no tracker `swanlab`; the report has the loss curve")
    settings.leave_out("project", "it names the project of a tracker")
