"""Importer of LLaMA-Factory configurations."""

from __future__ import annotations

from typing import Any

from ftrun.utils.suggest import nearest
from ftrun_plugins.importing.axolotl.optimizations import choose_optimizations
from ftrun_plugins.importing.draft import ImportContext, RecipeDraft, Recorder
from ftrun_plugins.importing.llama_factory.datasets import has_tools, read_datasets
from ftrun_plugins.importing.llama_factory.distribution import read_distribution
from ftrun_plugins.importing.llama_factory.keys import LEFT_OUT, LORA, NOTHING, REFUSED, SAME, parent_of
from ftrun_plugins.importing.llama_factory.model import read_model, read_trackers
from ftrun_plugins.importing.llama_factory.settings import Settings
from ftrun_plugins.importing.llama_factory.training import read_training

OTHER_KEYS = (
    "bf16", "cutoff_len", "dataset", "dataset_dir", "deepspeed", "do_train", "eval_dataset", "finetuning_type",
    "flash_attn", "fp16", "lora_target", "mask_history", "max_samples", "neat_packing", "packing", "pure_bf16",
    "quantization_bit", "report_to", "stage", "template", "train_on_prompt", "val_size",
)  # fmt: skip
LENGTH = (
    "Rows that are longer than sequence_len are cut at their end, and more than 2 % of them stop the run "
    "(dataset.max_cut); LLaMA-Factory cuts inside of each turn."
)
KNOWN_KEYS = (*SAME, *LORA, *LEFT_OUT, *REFUSED, *OTHER_KEYS)


def read(values: dict[str, Any], context: ImportContext) -> RecipeDraft:
    """Return the recipe for a configuration of LLaMA-Factory."""
    draft = RecipeDraft("LLaMA-Factory")
    record = Recorder(draft, context)
    settings = Settings({key: value for key, value in values.items() if value is not None}, record)
    read_training(settings)
    dataset = read_datasets(settings)
    model = read_model(settings, has_tools(dataset))
    zero = read_distribution(settings)
    read_trackers(settings)
    _record_others(settings)
    for key in values.keys() - settings.values.keys():
        record.exact((key,))  # null is the same as an absent key
    chosen, origins = choose_optimizations(settings.train, zero)
    draft.choose("optimizations", chosen)
    draft.values |= {name: section for name, section in (("model", model), ("dataset", dataset)) if section}
    draft.values["train"] = settings.train
    draft.entries = [_retarget(entry, origins) for entry in draft.entries]
    draft.entries.sort(key=lambda entry: entry.line or 0)
    draft.notes += [LENGTH, *_describe_defaults(settings.defaults)]
    return draft


def _record_others(settings: Settings) -> None:
    """Record the keys that no other function reads."""
    for key, value in settings.values.items():
        if key in settings.done:
            continue
        if key in REFUSED and value not in NOTHING:
            reason, hint = REFUSED[key]
            settings.refuse(key, f"`{key}`: {reason}", hint)
        elif key in REFUSED:
            settings.exact(key)
        elif key in LEFT_OUT:
            settings.leave_out(key, LEFT_OUT[key])
        elif parent := parent_of(key):
            settings.leave_out(key, f"it has an effect only with `{parent}`")
        else:
            close = nearest(key, KNOWN_KEYS)
            hint = "leave it out if it does not change the training"
            settings.refuse(key, f"`{key}` is no key that ftrun knows", hint, close)


def _retarget(entry: Any, origins: dict[str, str]) -> Any:
    """Return an entry whose trainer key an optimization sets with that place as its target."""
    from dataclasses import replace

    name = (entry.target or "").removeprefix("train.")
    return replace(entry, target=f"optimizations.{origins[name]}") if name in origins else entry


def _describe_defaults(defaults: dict[str, Any]) -> list[str]:
    listed = ", ".join(
        f"{key}: {str(value).lower() if isinstance(value, bool) else value}" for key, value in defaults.items()
    )
    return [f"Defaults of LLaMA-Factory for keys that the file does not have: {listed}."] if listed else []
