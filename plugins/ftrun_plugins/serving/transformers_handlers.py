"""Request handlers of `transformers serve`, restricted to the models of a run; for the trainer's environment.

The whole of `transformers serve` would load any model that a request names, let every client unload all models, and
generate an answer to its end after its client has gone. So only the code that turns requests into answers is used.
"""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from typing import Any

import torch
from fastapi import HTTPException
from transformers import AutoModelForCausalLM, AutoTokenizer, StoppingCriteriaList
from transformers.cli.serving import utils
from transformers.cli.serving.chat_completion import ChatCompletionHandler
from transformers.cli.serving.completion import CompletionHandler
from transformers.cli.serving.model_manager import ModelManager
from transformers.cli.serving.utils import GenerateManager, GenerationState, Modality

from ftrun_plugins.serving.answer_parser import AnswerFormat, with_format
from ftrun_plugins.serving.request_messages import read_message

# Parameters that the handlers ignore silently, with the only value that a request may give them.
UNSUPPORTED: dict[str, Any] = {
    "n": 1,
    "best_of": 1,
    "logprobs": False,
    "top_logprobs": 0,
    "presence_penalty": 0,
    "echo": False,
}
UNSUPPORTED |= {"response_format": {"type": "text"}, "parallel_tool_calls": True}
TOOL_CHOICES = (None, "auto", "none")
EVERY_TOKEN = 0  # as a value of `top_k`


class Models(ModelManager):  # type: ignore[misc]
    """The served models by name, loaded once."""

    def __init__(self, folders: dict[str, str], trust_remote_code: bool) -> None:
        # does not call the parent, which would search this machine for models
        self.force_model = None
        self._loaded = {name: _load(folder, trust_remote_code) for name, folder in folders.items()}

    @property
    def names(self) -> list[str]:
        """Names of the models."""
        return list(self._loaded)

    @property
    def longest(self) -> int:
        """Maximum number of tokens that all models accept."""
        return min(int(model.config.max_position_embeddings) for model, _ in self._loaded.values())

    @staticmethod
    def process_model_name(model_id: str) -> str:
        """Return the name as it is."""
        return model_id

    @staticmethod
    def get_model_modality(model: Any, processor: Any = None) -> Modality:
        """Return the modality of text models."""
        return Modality.LLM

    def load_model_and_processor(self, model_id_and_revision: str, **_: Any) -> tuple[Any, Any]:
        """Return the loaded model and its tokenizer."""
        return self._loaded[model_id_and_revision]


def _load(folder: str, trust_remote_code: bool) -> tuple[Any, Any]:
    """Load a model and its tokenizer, on a CPU with 32-bit weights like vLLM."""
    on_gpu = torch.cuda.is_available() or torch.backends.mps.is_available()
    options = {"dtype": "auto", "device_map": "auto"} if on_gpu else {"dtype": torch.float32}
    utils._RESPONSE_TEMPLATE_FALLBACKS.clear()  # formats by the type of the model; the recipe chooses the format
    model = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=trust_remote_code, **options)
    return model.eval(), AutoTokenizer.from_pretrained(folder, trust_remote_code=trust_remote_code)


class SerialGenerateManager(GenerateManager):  # type: ignore[misc]
    """Generates one answer at a time for all models, and stops if the client has gone."""

    def __init__(self, longest: int) -> None:
        super().__init__()
        self._longest = longest

    def generate_streaming(self, model: Any, processor: Any, inputs: Any, gen_config: Any, **more: Any) -> Any:
        """Return the stream of an answer that fits into the model."""
        self._limit_length(inputs, gen_config)
        if more.get("response_parser") is not None:
            more["response_parser"] = processor.make_answer_parser(more["response_parser"])
        return super().generate_streaming(model, processor, inputs, gen_config, **more)

    async def generate_non_streaming(
        self, model: Any, processor: Any, inputs: Any, gen_config: Any, request_id: str
    ) -> tuple[str, int, Any]:
        """Return text, number of prompt tokens and tokens of an answer."""
        self._limit_length(inputs, gen_config)
        length = inputs["input_ids"].shape[-1]
        gone = threading.Event()

        def is_over(ids: Any, scores: Any, **_: Any) -> Any:
            return torch.full((ids.shape[0],), gone.is_set(), device=ids.device)

        def generate() -> Any:
            if gone.is_set():
                return inputs["input_ids"]
            criteria = StoppingCriteriaList([is_over])
            return model.generate(
                **inputs, generation_config=gen_config, tokenizer=processor, stopping_criteria=criteria
            )

        try:
            ids = await asyncio.shield(self.async_submit(generate))
        except asyncio.CancelledError:
            gone.set()
            raise
        return processor.decode(ids[0, length:], skip_special_tokens=True), length, ids[0, length:]

    def _limit_length(self, inputs: Any, config: Any) -> None:
        length = inputs["input_ids"].shape[-1]
        if length >= self._longest:
            raise HTTPException(400, f"the prompt has {length} tokens; prompt and answer can have {self._longest}")
        config.max_new_tokens = min(config.max_new_tokens, self._longest - length)


class State(GenerationState):  # type: ignore[misc]
    """State with the same manager for all models."""

    def __init__(self, longest: int) -> None:
        super().__init__()
        self._manager = SerialGenerateManager(longest)

    def get_manager(self, model_id: str, use_cb: bool = False) -> SerialGenerateManager:
        """Return the manager of all models."""
        return self._manager


class _AsVllm:
    """Reads requests like vLLM."""

    def _validate_request(self, body: dict[str, Any]) -> None:
        if body.get("max_completion_tokens") is not None:
            body["max_tokens"] = body.pop("max_completion_tokens")
        for name, allowed in UNSUPPORTED.items():
            if body.get(name) not in (None, allowed):
                raise HTTPException(400, f"`{name}` is not supported by the engine `transformers`")
        super()._validate_request(body)  # type: ignore[misc]

    def _build_generation_config(self, body: dict[str, Any], model_generation_config: Any, use_cb: bool = False) -> Any:
        config = super()._build_generation_config(body, model_generation_config, use_cb=use_cb)  # type: ignore[misc]
        config.do_sample = config.temperature is None or config.temperature > 0
        if config.do_sample:
            config.top_k = config.top_k or EVERY_TOKEN
        return config


class Chats(_AsVllm, ChatCompletionHandler):  # type: ignore[misc]
    """Handler of `/v1/chat/completions`."""

    def __init__(self, models: Models, state: State, template: dict[str, Any], answers: AnswerFormat) -> None:
        super().__init__(models, state, template)
        self._answers = answers

    def _validate_request(self, body: dict[str, Any]) -> None:
        if body.get("tool_choice") not in TOOL_CHOICES:
            raise HTTPException(400, "`tool_choice` is not `auto` or `none`, the values for the engine `transformers`")
        super()._validate_request(body)

    def _resolve_model(self, body: dict[str, Any]) -> tuple[str, Any, Any]:
        name, model, tokenizer = super()._resolve_model(body)
        with_calls = body.get("tools") and body.get("tool_choice") != "none"
        answers = self._answers if with_calls else replace(self._answers, calls=None)
        return name, model, with_format(tokenizer, answers)

    @staticmethod
    def get_processor_inputs_from_messages(messages: list[dict[str, Any]], modality: Modality) -> list[dict[str, Any]]:
        """Return the messages as vLLM gives them to a chat template."""
        return [read_message(message) for message in messages]

    def _build_completion(self, *arguments: Any, **more: Any) -> Any:
        completion = super()._build_completion(*arguments, **more)
        for choice in completion["choices"]:
            _rename_thoughts(choice["message"])
        return completion

    def _build_chunk_sse(self, *arguments: Any, **more: Any) -> str:
        text: str = super()._build_chunk_sse(*arguments, **more)
        if more.get("reasoning_content") is None:
            return text
        chunk = json.loads(text.removeprefix("data: "))
        for choice in chunk["choices"]:
            _rename_thoughts(choice["delta"])
        return f"data: {json.dumps(chunk)}\n\n"


def _rename_thoughts(message: dict[str, Any]) -> None:
    """Rename thoughts in a message to the name that they have in vLLM."""
    if "reasoning_content" in message:
        message["reasoning"] = message.pop("reasoning_content")


class Completions(_AsVllm, CompletionHandler):  # type: ignore[misc]
    """Handler of `/v1/completions`."""
