"""Method of a LLaMA-Factory configuration: an adapter, quantized base weights, or frozen layers."""

from __future__ import annotations

from typing import Any

from ftrun_plugins.importing.llama_factory.keys import LORA
from ftrun_plugins.importing.llama_factory.settings import Settings, split_list


def read_method(settings: Settings) -> None:
    """Set the trainer keys of the adapter, of quantized base weights, or of frozen layers."""
    method = settings.get("finetuning_type", "lora")
    if method == "lora":
        _read_lora(settings)
    elif method == "freeze":
        _read_freeze(settings)
    elif method != "full":
        hint = "use lora, full or freeze"
        settings.refuse("finetuning_type", f"`finetuning_type` is `{str(method)[:40]}`, which ftrun cannot merge", hint)
    settings.exact("finetuning_type", "train.adapter" if method == "lora" else None)
    if method != "lora":
        for key in (*LORA, "lora_target", "additional_target"):
            settings.leave_out(key, "it has an effect only with finetuning_type: lora")


def _read_lora(settings: Settings) -> None:
    rank = settings.get("lora_rank", 8)
    double = 2 * rank if isinstance(rank, int) else None
    settings.train["adapter"] = "lora"
    for key, default in (("lora_rank", 8), ("lora_alpha", double), ("lora_dropout", 0.0)):
        settings.set(key, LORA[key], settings.get(key) or default)
    for key in ("use_rslora", "use_dora", "loraplus_lr_ratio", "loraplus_lr_embedding"):
        if settings.get(key):
            settings.set(key, LORA[key], settings.get(key))
        settings.exact(key)
    targets = split_list(settings.get("lora_target", "all"))
    if targets == ["all"]:
        settings.set("lora_target", "lora_target_linear", True)
    else:
        settings.set("lora_target", "lora_target_modules", targets)
    if modules := split_list(settings.get("additional_target")):
        settings.set("additional_target", "lora_modules_to_save", modules)
    _read_quantization(settings)


def _read_quantization(settings: Settings) -> None:
    bits = settings.get("quantization_bit")
    if not bits:
        return
    method = str(settings.get("quantization_method", "bnb")).lower()
    if method not in ("bnb", "bitsandbytes") or bits not in (4, 8):
        what = f"`quantization_bit` is {bits} with the method `{method}`"
        settings.refuse("quantization_bit", what, "the trainer has 4 and 8 bits of bitsandbytes (bnb)")
        return
    settings.set("quantization_bit", f"load_in_{bits}bit", True)
    settings.exact("quantization_method")
    settings.leave_out("quantization_device_map", "the trainer places the weights")
    if bits == 4:
        settings.train["adapter"] = "qlora"
        other: dict[str, Any] = {}
        if settings.get("double_quantization", True) is False:
            other["bnb_4bit_use_double_quant"] = False
        if settings.get("quantization_type", "nf4") != "nf4":
            other["bnb_4bit_quant_type"] = settings.get("quantization_type")
        if other:
            settings.train["bnb_config_kwargs"] = other
    target = "train.bnb_config_kwargs" if "bnb_config_kwargs" in settings.train else None
    for key in ("double_quantization", "quantization_type"):
        settings.exact(key, target)


def _read_freeze(settings: Settings) -> None:
    """Name the first layers by a pattern. The last ones need the number of layers, which the file does not have."""
    count = settings.get("freeze_trainable_layers", 2)
    if settings.get("freeze_trainable_modules", "all") != "all" or settings.get("freeze_extra_modules"):
        settings.refuse(
            "finetuning_type", "`freeze` with single modules", "write patterns for train.unfrozen_parameters"
        )
    elif not isinstance(count, int) or count >= 0:
        hint = "write patterns for train.unfrozen_parameters, such as ^model.layers.(30|31)."
        settings.refuse("finetuning_type", "`freeze` trains the last layers, whose numbers the file does not say", hint)
    else:
        layers = "|".join(map(str, range(-count)))
        settings.train["unfrozen_parameters"] = [rf"^model\.layers\.({layers})\."]
        for key in ("freeze_trainable_layers", "freeze_trainable_modules"):
            settings.exact(key, "train.unfrozen_parameters")
