"""Turns a GGUF file into a Hugging Face folder that trains and serves like the original.

transformers reads the weights and the config out of a GGUF correctly, but guesses at the tokenizer: it takes the wrong
pre-tokenizer and special tokens. So the tokenizer is built here, from the file's own metadata.
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

# llama.cpp's names of pre-tokenizers, each as tokenizer.json spells it.
PRE_TOKENIZERS: dict[str, dict[str, Any]] = {
    "gpt-2": BYTE_LEVEL,
    "smollm": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, BYTE_LEVEL]},
}


def convert(gguf: Path, output: Path, *, dtype: Literal["bfloat16", "float32", "float16"] = "bfloat16") -> None:
    """Writes the model in `gguf` as a Hugging Face folder.

    Args:
        gguf: A model with a byte-level BPE tokenizer; quantized weights are unpacked.
        output: The folder to write: config, generation config, safetensors, tokenizer, chat template.
        dtype: Of the weights written.

    Raises:
        ValueError: The file's tokenizer is of a kind that cannot be rebuilt faithfully.
    """
    from transformers import GenerationConfig

    metadata = read_metadata(gguf)
    tokenizer = build_tokenizer(metadata)  # before the weights: an unsupported file fails at once
    model = load_model(gguf, dtype)
    model.generation_config = GenerationConfig(**generation_settings(metadata))
    model.save_pretrained(output)
    tokenizer.save_pretrained(output)


def read_metadata(gguf: Path) -> dict[str, Any]:
    """Reads the key-value pairs at the head of the file; the weights stay on the disk."""
    from gguf import GGUFReader

    return {key: field.contents() for key, field in GGUFReader(gguf).fields.items()}


def load_model(gguf: Path, dtype: str) -> PreTrainedModel:
    """Loads the weights as a plain dense model; packed ones could not be saved as safetensors."""
    from transformers import AutoModelForCausalLM, GgufConfig

    return AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=dtype, quantization_config=GgufConfig(dequantize=True)
    )


def build_tokenizer(metadata: Mapping[str, Any]) -> PreTrainedTokenizerFast:
    """Builds the tokenizer, with its chat template, that `metadata` describes."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(tokenizer_json(metadata))), **tokenizer_settings(metadata)
    )


def tokenizer_json(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The contents of tokenizer.json.

    Raises:
        ValueError: The tokenizer is not byte-level BPE, or splits text in a way not known here.
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
    """The pre-tokenizer that llama.cpp calls `pre`.

    Raises:
        ValueError: It is not known here; a wrong one would silently change how every text is split.
    """
    if pre not in PRE_TOKENIZERS:
        raise ValueError(f"tokenizer.ggml.pre is {pre!r}; known: {', '.join(PRE_TOKENIZERS)}")
    return PRE_TOKENIZERS[pre]


def added_tokens(tokens: list[str], types: list[int]) -> list[dict[str, Any]]:
    """The tokens matched whole in a text; the control tokens among them are special, so decoding can skip them."""
    matching = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return [
        {"id": index, "content": token, **matching, "special": kind == CONTROL}
        for index, (token, kind) in enumerate(zip(tokens, types, strict=True))
        if kind in (CONTROL, USER_DEFINED)
    ]


def bpe(tokens: list[str], merges: list[str]) -> dict[str, Any]:
    """The byte-level BPE model; like llama.cpp's, it drops bytes that are not in the vocabulary (unk_token null)."""
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
    """What tokenizer_config.json adds to tokenizer.json; roles that the file gives no token stay unset."""
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
    """Generation stops at the end of the text and, where the file tells them apart, at the end of a turn."""
    ids = {name: metadata.get(f"tokenizer.ggml.{name}_token_id") for name in ("bos", "eos", "eot", "padding")}
    ends = {ids["eos"], ids["eot"]} - {None}
    return {"bos_token_id": ids["bos"], "eos_token_id": sorted(ends), "pad_token_id": ids["padding"]}
