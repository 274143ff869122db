"""Load a model and its tokenizer from the inputs of a stage call."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftrun.api.artifacts import TokenizedRows
from ftrun_plugins.evaluation.candidates import TOKENIZED


def set_missing_template(tokenizer: Any, inputs: Mapping[str, Path]) -> None:
    """Set the chat template that the recipe trains with, if the tokenizer has no template."""
    if not tokenizer.chat_template and TOKENIZED in inputs:
        tokenizer.chat_template = TokenizedRows(inputs[TOKENIZED]).template


def load_model(inputs: Mapping[str, Path], accelerator: str, trust_remote_code: bool) -> Any:
    """Load a model for inference, with its adapter if there is one.

    The precision is bfloat16 on a GPU, and float32 on a CPU, on which it is exact and often faster.
    """
    import torch
    from transformers import AutoModelForCausalLM

    dtype, device = (torch.bfloat16, "cuda") if accelerator == "gpu" else (torch.float32, "cpu")
    model = AutoModelForCausalLM.from_pretrained(inputs["model"], dtype=dtype, trust_remote_code=trust_remote_code)
    if "adapter" in inputs:
        from peft import PeftModel

        tokenizer = load_tokenizer(inputs, trust_remote_code)
        if len(tokenizer) > model.get_input_embeddings().weight.shape[0]:
            model.resize_token_embeddings(len(tokenizer))
        model = PeftModel.from_pretrained(model, inputs["adapter"])
    return model.to(device).eval()


def load_tokenizer(inputs: Mapping[str, Path], trust_remote_code: bool) -> Any:
    """Load the tokenizer of the adapter if there is one, else that of the model. Sets a missing pad token."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(
        inputs.get("adapter", inputs["model"]), trust_remote_code=trust_remote_code
    )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer
