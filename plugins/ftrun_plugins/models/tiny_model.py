"""Makes a random model with a real tokenizer and chat template, small enough to train and serve in seconds.

It is a Llama of 2 layers; nearly all of its 3.2 million parameters are the embeddings of the vocabulary. It proves that
the parts of a run fit together, and says nothing about results.
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
    """Writes the model as a Hugging Face folder, with the tokenizer of the model in `gguf`; its weights are not read.

    Raises:
        ValueError: The file's tokenizer is of a kind that cannot be rebuilt faithfully.
    """
    from transformers import GenerationConfig

    metadata = read_metadata(gguf)
    tokenizer = build_tokenizer(metadata)
    model = random_llama(metadata)
    model.generation_config = GenerationConfig(**generation_settings(metadata))
    model.save_pretrained(output)
    tokenizer.save_pretrained(output)


def random_llama(metadata: Mapping[str, Any]) -> LlamaForCausalLM:
    """A Llama for the vocabulary of a GGUF file; heads of 32, the smallest that vLLM serves."""
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
