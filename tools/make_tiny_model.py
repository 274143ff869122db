"""Writes a random model with a real tokenizer and chat template, small enough to train and serve in tests.

    python tools/make_tiny_model.py GGUF OUTPUT

A Llama of 2 layers, 3.2 million parameters; nearly all of them are the embeddings of the GGUF's vocabulary.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun_plugins.fetch.gguf import build_tokenizer, generation_settings, read_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import LlamaForCausalLM

SEED = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gguf", type=Path, help="the model whose tokenizer and chat template to take")
    parser.add_argument("output", type=Path, help="the folder to write")
    arguments = parser.parse_args()
    metadata = read_metadata(arguments.gguf)
    random_llama(metadata).save_pretrained(arguments.output)
    build_tokenizer(metadata).save_pretrained(arguments.output)


def random_llama(metadata: Mapping[str, Any]) -> LlamaForCausalLM:
    """A Llama for the vocabulary of `metadata`; heads of 32, the smallest that vLLM serves."""
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    generation = generation_settings(metadata)
    config = LlamaConfig(
        vocab_size=len(metadata["tokenizer.ggml.tokens"]),
        hidden_size=64,
        intermediate_size=192,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=metadata[f"{metadata['general.architecture']}.context_length"],
        tie_word_embeddings=True,
        **generation,
    )
    torch.manual_seed(SEED)
    model = LlamaForCausalLM(config).to(torch.bfloat16)
    model.generation_config = GenerationConfig(**generation)
    return model


if __name__ == "__main__":
    main()
