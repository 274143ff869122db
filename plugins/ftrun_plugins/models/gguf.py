"""Conversion of a GGUF file into a Hugging Face folder that trains and serves like the original.

transformers reads the weights and the config of a GGUF file correctly, but chooses a wrong pre-tokenizer and wrong
special tokens. So this module builds the tokenizer from the metadata of the file.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

CONTROL, USER_DEFINED = 3, 4  # values of tokenizer.ggml.token_type

BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}

# Pre-tokenizers for tokenizer.json, by their names in llama.cpp.
PRE_TOKENIZERS: dict[str, dict[str, Any]] = {
    "gpt-2": BYTE_LEVEL,
    "smollm": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, BYTE_LEVEL]},
}


def convert(gguf: Path, output: Path, *, dtype: Literal["bfloat16", "float32", "float16"] = "bfloat16") -> None:
    """Write the model in `gguf` as a Hugging Face folder.

    Args:
        gguf: A model with a byte-level BPE tokenizer; quantized weights are dequantized.
        output: The folder for config, generation config, safetensors, tokenizer and chat template.
        dtype: Type of the written weights.

    Raises:
        ValueError: If the tokenizer is of an unsupported kind.
    """
    from transformers import GenerationConfig

    metadata = read_metadata(gguf)
    tokenizer = build_tokenizer(metadata)  # before the weights, so that an unsupported file fails at once
    model = load_model(gguf, dtype)
    model.generation_config = GenerationConfig(**generation_settings(metadata))
    model.save_pretrained(output)
    tokenizer.save_pretrained(output)


def read_metadata(gguf: Path) -> dict[str, Any]:
    """Return the metadata of a GGUF file as key-value pairs; the weights are not read."""
    from gguf import GGUFReader

    return {key: field.contents() for key, field in GGUFReader(gguf).fields.items()}


def load_model(gguf: Path, dtype: str) -> PreTrainedModel:
    """Load the weights as a dense model, because quantized weights cannot be saved as safetensors."""
    from transformers import AutoModelForCausalLM, GgufConfig

    return AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=dtype, quantization_config=GgufConfig(dequantize=True)
    )


def build_tokenizer(metadata: Mapping[str, Any]) -> PreTrainedTokenizerFast:
    """Build the tokenizer, with its chat template, from the metadata of a GGUF file."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(tokenizer_json(metadata))), **tokenizer_settings(metadata)
    )


def tokenizer_json(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of tokenizer.json.

    Raises:
        ValueError: If the tokenizer is not byte-level BPE, or has an unknown pre-tokenizer.
    """
    kind = metadata.get("tokenizer.ggml.model")
    if kind != "gpt2":
        raise ValueError(f"tokenizer.ggml.model is {kind!r}; only 'gpt2' (byte-level BPE) can be converted")
    tokens = metadata["tokenizer.ggml.tokens"]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added_tokens(tokens, metadata["tokenizer.ggml.token_type"]),
        "normalizer": None,
        "pre_tokenizer": pre_tokenizer(metadata.get("tokenizer.ggml.pre")),
        "post_processor": None,
        "decoder": BYTE_LEVEL,
        "model": bpe(tokens, metadata["tokenizer.ggml.merges"]),
    }


def pre_tokenizer(pre: str | None) -> dict[str, Any]:
    """Return the pre-tokenizer that llama.cpp calls `pre`.

    Raises:
        ValueError: If the name is unknown, because a wrong pre-tokenizer would silently split texts differently.
    """
    if pre not in PRE_TOKENIZERS:
        raise ValueError(f"tokenizer.ggml.pre is {pre!r}; known: {', '.join(PRE_TOKENIZERS)}")
    return PRE_TOKENIZERS[pre]


def added_tokens(tokens: list[str], types: list[int]) -> list[dict[str, Any]]:
    """Return the tokens that are matched as a whole. Control tokens are special, so that decoding can skip them."""
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return [
        {"id": index, "content": token, **flags, "special": kind == CONTROL}
        for index, (token, kind) in enumerate(zip(tokens, types, strict=True))
        if kind in (CONTROL, USER_DEFINED)
    ]


def bpe(tokens: list[str], merges: list[str]) -> dict[str, Any]:
    """Return the byte-level BPE model. Like llama.cpp, it drops bytes outside the vocabulary (unk_token null)."""
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": False,
        "vocab": {token: index for index, token in enumerate(tokens)},
        "merges": [merge.split(" ") for merge in merges],
    }


def tokenizer_settings(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of tokenizer_config.json. Special tokens that the file does not define are left out."""
    roles = {"bos_token": "bos", "eos_token": "eos", "pad_token": "padding", "unk_token": "unknown"}
    tokens = metadata["tokenizer.ggml.tokens"]
    ids = {role: metadata.get(f"tokenizer.ggml.{name}_token_id") for role, name in roles.items()}
    return {
        **{role: tokens[index] for role, index in ids.items() if index is not None},
        "add_bos_token": metadata.get("tokenizer.ggml.add_bos_token", False),
        "add_eos_token": metadata.get("tokenizer.ggml.add_eos_token", False),
        "clean_up_tokenization_spaces": False,
        "model_max_length": metadata[f"{metadata['general.architecture']}.context_length"],
        "chat_template": metadata.get("tokenizer.chat_template"),
    }


def generation_settings(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the generation settings. Generation stops at the end of the text and, if known, at the end of a turn."""
    ids = {name: metadata.get(f"tokenizer.ggml.{name}_token_id") for name in ("bos", "eos", "eot", "padding")}
    ends = {ids["eos"], ids["eot"]} - {None}
    return {"bos_token_id": ids["bos"], "eos_token_id": sorted(ends), "pad_token_id": ids["padding"]}
