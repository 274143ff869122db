"""Writes a random model with a real tokenizer and chat template, small enough to train and serve in tests.

    python tools/make_tiny_model.py FOLDER OUTPUT

FOLDER is a Hugging Face model, e.g. the artifact of `fetch:model` of the quickstart. The result is a Llama of 2 layers,
3.2 million parameters; nearly all of them are the embeddings of the vocabulary.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PretrainedConfig

SEED = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the model whose tokenizer and chat template to take")
    parser.add_argument("output", type=Path, help="the folder to write")
    arguments = parser.parse_args()
    from transformers import AutoConfig, AutoTokenizer, GenerationConfig

    model = random_llama(AutoConfig.from_pretrained(arguments.folder))
    model.generation_config = GenerationConfig.from_pretrained(arguments.folder)
    model.save_pretrained(arguments.output)
    AutoTokenizer.from_pretrained(arguments.folder).save_pretrained(arguments.output)


def random_llama(like: PretrainedConfig) -> LlamaForCausalLM:
    """A Llama for the vocabulary of `like`; heads of 32, the smallest that vLLM serves."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=like.vocab_size,
        hidden_size=64,
        intermediate_size=192,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=like.max_position_embeddings,
        tie_word_embeddings=True,
        bos_token_id=like.bos_token_id,
        eos_token_id=like.eos_token_id,
        pad_token_id=like.pad_token_id,
    )
    torch.manual_seed(SEED)
    return LlamaForCausalLM(config).to(torch.bfloat16)


if __name__ == "__main__":
    main()
