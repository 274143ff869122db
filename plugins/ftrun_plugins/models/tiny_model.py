"""Tiny random model with a real tokenizer and chat template, which can be trained and served in seconds.

It is a Llama with 2 layers. Most of its 3.2 million parameters are the embeddings of the vocabulary. It tests that the
parts of a run work together; its results mean nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ftrun_plugins.models.gguf import build_tokenizer, generation_settings, read_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from transformers import LlamaForCausalLM

SEED = 0


def make_tiny(gguf: Path, output: Path) -> None:
    """Write a tiny model as a Hugging Face folder.

    It has the tokenizer of the model in `gguf`, whose weights are not read.

    Raises:
        ValueError: If the tokenizer is of an unsupported kind.
    """
    from transformers import GenerationConfig

    metadata = read_metadata(gguf)
    tokenizer = build_tokenizer(metadata)
    model = random_llama(metadata)
    model.generation_config = GenerationConfig(**generation_settings(metadata))
    model.save_pretrained(output)
    tokenizer.save_pretrained(output)


def random_llama(metadata: Mapping[str, Any]) -> LlamaForCausalLM:
    """Return a random Llama for the vocabulary of a GGUF file. Heads have size 32, the smallest that vLLM serves."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    ids = {role: metadata.get(f"tokenizer.ggml.{role}_token_id") for role in ("bos", "eos", "padding")}
    config = LlamaConfig(
        vocab_size=len(metadata["tokenizer.ggml.tokens"]),
        hidden_size=64,
        intermediate_size=192,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=metadata[f"{metadata['general.architecture']}.context_length"],
        tie_word_embeddings=True,
        bos_token_id=ids["bos"],
        eos_token_id=ids["eos"],
        pad_token_id=ids["padding"],
    )
    torch.manual_seed(SEED)
    return LlamaForCausalLM(config).to(torch.bfloat16)
