"""The parts of `transformers serve` that answer requests, held to the models of a run; for the trainer's environment.

Of the whole, `transformers serve` takes any model that a request names, lets everybody unload all models, and writes
an answer to its end though nobody waits for it any more: so only what turns requests into answers is taken from it.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import torch
from fastapi import HTTPException
from transformers import AutoModelForCausalLM, AutoTokenizer, StoppingCriteriaList
from transformers.cli.serving.chat_completion import ChatCompletionHandler
from transformers.cli.serving.completion import CompletionHandler
from transformers.cli.serving.model_manager import ModelManager
from transformers.cli.serving.utils import GenerateManager, GenerationState, Modality

# What these parts would leave out without a word, and what a request may say of it.
UNKNOWN: dict[str, Any] = {
    "n": 1,
    "best_of": 1,
    "logprobs": False,
    "top_logprobs": 0,
    "presence_penalty": 0,
    "echo": False,
}
UNKNOWN |= {"response_format": {"type": "text"}, "tool_choice": "auto"}
EVERY_TOKEN = 0  # of `top_k`


class Models(ModelManager):  # type: ignore[misc]
    """The models that there are, loaded once and asked for by name."""

    def __init__(self, folders: dict[str, str], trust_remote_code: bool) -> None:
        # without the parent's: it would look for models, and for what else this machine has
        self.force_model = None
        self._loaded = {name: _load(folder, trust_remote_code) for name, folder in folders.items()}

    @property
    def names(self) -> list[str]:
        return list(self._loaded)

    @property
    def longest(self) -> int:
        return min(int(model.config.max_position_embeddings) for model, _ in self._loaded.values())

    @staticmethod
    def process_model_name(model_id: str) -> str:
        return model_id

    @staticmethod
    def get_model_modality(model: Any, processor: Any = None) -> Modality:
        return Modality.LLM

    def load_model_and_processor(self, model_id_and_revision: str, **_: Any) -> tuple[Any, Any]:
        return self._loaded[model_id_and_revision]


def _load(folder: str, trust_remote_code: bool) -> tuple[Any, Any]:
    """32-bit on a processor, as vLLM has it there."""
    on_gpu = torch.cuda.is_available() or torch.backends.mps.is_available()
    how = {"dtype": "auto", "device_map": "auto"} if on_gpu else {"dtype": torch.float32}
    model = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=trust_remote_code, **how)
    return model.eval(), AutoTokenizer.from_pretrained(folder, trust_remote_code=trust_remote_code)


class SerialGenerateManager(GenerateManager):  # type: ignore[misc]
    """Writes one answer after the other, whichever model gives it, and none that nobody waits for any more."""

    def __init__(self, longest: int) -> None:
        super().__init__()
        self._longest = longest

    def generate_streaming(self, model: Any, processor: Any, inputs: Any, gen_config: Any, **more: Any) -> Any:
        self._fit(inputs, gen_config)
        return super().generate_streaming(model, processor, inputs, gen_config, **more)

    async def generate_non_streaming(
        self, model: Any, processor: Any, inputs: Any, gen_config: Any, request_id: str
    ) -> tuple[str, int, Any]:
        self._fit(inputs, gen_config)
        length = inputs["input_ids"].shape[-1]
        left = threading.Event()

        def is_over(ids: Any, scores: Any, **_: Any) -> Any:
            return torch.full((ids.shape[0],), left.is_set(), device=ids.device)

        def work() -> Any:
            if left.is_set():
                return inputs["input_ids"]
            criteria = StoppingCriteriaList([is_over])
            return model.generate(
                **inputs, generation_config=gen_config, tokenizer=processor, stopping_criteria=criteria
            )

        try:
            found = await asyncio.shield(self.async_submit(work))
        except asyncio.CancelledError:
            left.set()
            raise
        return processor.decode(found[0, length:], skip_special_tokens=True), length, found[0, length:]

    def _fit(self, inputs: Any, config: Any) -> None:
        length = inputs["input_ids"].shape[-1]
        if length >= self._longest:
            raise HTTPException(400, f"the prompt has {length} tokens, and with its answer it may have {self._longest}")
        config.max_new_tokens = min(config.max_new_tokens, self._longest - length)


class State(GenerationState):  # type: ignore[misc]
    """The same manager for all models."""

    def __init__(self, longest: int) -> None:
        super().__init__()
        self._manager = SerialGenerateManager(longest)

    def get_manager(self, model_id: str, use_cb: bool = False) -> SerialGenerateManager:
        return self._manager


class _AsVllm:
    """Reads a request as vLLM does."""

    def _validate_request(self, body: dict[str, Any]) -> None:
        if body.get("max_completion_tokens") is not None:
            body["max_tokens"] = body.pop("max_completion_tokens")
        for name, said in UNKNOWN.items():
            if body.get(name) not in (None, said):
                raise HTTPException(400, f"`{name}` is not known to transformers, which answers in vLLM's place here")
        super()._validate_request(body)  # type: ignore[misc]

    def _build_generation_config(self, body: dict[str, Any], model_generation_config: Any, use_cb: bool = False) -> Any:
        config = super()._build_generation_config(body, model_generation_config, use_cb=use_cb)  # type: ignore[misc]
        config.do_sample = config.temperature is None or config.temperature > 0
        if config.do_sample:
            config.top_k = config.top_k or EVERY_TOKEN
        return config


class Chats(_AsVllm, ChatCompletionHandler):  # type: ignore[misc]
    """Of `/v1/chat/completions`."""


class Completions(_AsVllm, CompletionHandler):  # type: ignore[misc]
    """Of `/v1/completions`."""
