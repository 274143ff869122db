"""Tokenization of a row with axolotl's prompt strategies, and checks of the row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.template_limits import (
    EXCESS_HINT,
    describe_excess,
    exit_if_stuck,
    limit_rendering,
)
from ftrun.api.tokenizers import adds_begin
from ftrun.utils.limits import TimeLimitError
from ftrun_plugins.axolotl.config.build import TEMPLATE
from ftrun_plugins.axolotl.special_tokens import end_of_turn_ids
from ftrun_plugins.axolotl.tokenize.template_check import Probe, find_part_faults, find_text_fault, find_untrained_end
from ftrun_plugins.axolotl.tokenize.template_loss import find_losses
from ftrun_plugins.axolotl.tokenize.tokens import IGNORED, RowOutcome, Tokens
from ftrun_plugins.axolotl.workspace import MODEL, NO_TRAINING, chdir_offline, write_workspace

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.axolotl.tokenize.params import Params

STRATEGIES = {"chat": "chat_template", "segments": "input_output", "text": "completion"}
NO_LIMIT = 1 << 40  # tokens
# Keys of a message that the template gets. By default, the trainer searches the template's source for the keys that it
# reads, and misses those in macros and in calls of `get`.
MESSAGE_KEYS = ("role", "content", "reasoning_content", "tool_calls", "tool_call_id", "name")
# Keys of axolotl's dataset entry that select the trained tokens. The default is the assistant's turns and their ends.
MASK_KEYS = frozenset(
    ("roles_to_train", "train_on_eos", "train_on_eot", "message_field_training", "message_field_training_detail")
)


class RowTokenizer:
    """Tokenizer and prompt strategy of axolotl for the rows of a recipe."""

    def __init__(self, params: Params, kind: str, context: StageContext) -> None:
        self._params = params
        self._kind = kind
        self._context = context
        mapping = {"message_property_mappings": {key: key for key in MESSAGE_KEYS}, "message_field_training": "train"}
        keys = mapping if kind == "chat" else {}
        entry = {"path": "examples.jsonl", "ds_type": "json", "type": STRATEGIES[kind], **keys, **params.dataset}
        config = {
            **NO_TRAINING,
            **params.trainer,
            "trust_remote_code": params.trust_remote_code,
            "datasets": [entry],
        }
        path = write_workspace(context.work, config, {MODEL: context.inputs["model"]})
        with chdir_offline(context.work):
            self._load(path, entry)

    def _load(self, path: Path, entry: dict[str, Any]) -> None:
        from axolotl.cli.config import load_cfg
        from axolotl.loaders import load_tokenizer
        from axolotl.prompt_strategies import load

        self._entry = entry
        self._config = config = load_cfg(path.name, is_preprocess=True)
        self.tokenizer = load_tokenizer(config)
        self.sequence_len = int(config.sequence_len)
        self.cuts = (config.excess_length_strategy or "drop").lower() == "truncate"
        if self._kind == "text":
            config.sequence_len = NO_LIMIT  # `check_row` cuts or drops long texts; axolotl would split them
        self._strategy = load(STRATEGIES[self._kind], self.tokenizer, config, entry)
        self._ends = end_of_turn_ids(self.tokenizer, config) if self._kind == "chat" else frozenset()
        self._faults = []
        if self._kind == "chat":
            try:
                with limit_rendering(), exit_if_stuck():
                    self._faults = self._check_template()
            except (TimeLimitError, MemoryError) as error:
                raise InvalidInput(
                    Problem("template-mismatch", describe_excess(error), "the chat template", hint=EXCESS_HINT)
                ) from None

    def _check_template(self) -> list[tuple[Probe, str]]:
        """Return the parts of rows that would be trained incorrectly, such as tool calls, with the reasons.

        Nothing is checked if the recipe itself selects the trained tokens.

        Raises:
            InvalidInput: If plain rows would be trained incorrectly, or without the end of their turns.
        """
        if self.has_own_mask:
            return []
        needs_end = not self._params.untrained_end_of_turn
        fault = find_text_fault(self._strategy, self._ends, needs_end)
        if fault is not None:
            hint = "use another train.chat_template, or list the tokens that end a turn in train.eot_tokens"
            raise InvalidInput(Problem("template-mismatch", fault, at="the chat template", hint=hint))
        end = find_untrained_end(self._strategy, self._ends) if needs_end else None
        if end is not None:
            what = f"with this chat template, turns end with {end}, which is not trained, so the model would not stop"
            hint = self._propose_end(end)
            raise InvalidInput(Problem("template-mismatch", what, at="the chat template", hint=hint))
        return list(find_part_faults(self._strategy, self._ends, needs_end))

    def _propose_end(self, end: str) -> str:
        """Return a hint with an override that makes the trainer train the token `end`, if that works."""
        tokens = [*(self._config.eot_tokens or ()), end]
        other = self.with_keys({"eot_tokens": tokens})
        ids = end_of_turn_ids(self.tokenizer, other._config)
        if find_text_fault(other._strategy, ids, needs_end=True) or find_untrained_end(other._strategy, ids):
            return "use another train.chat_template, or set dataset.untrained_end_of_turn=true"
        return f"set 'train.eot_tokens={json.dumps(tokens, ensure_ascii=False)}'"

    @property
    def has_own_mask(self) -> bool:
        """True if the recipe itself selects the trained tokens."""
        return bool(self._params.trainer.get("train_on_inputs")) or not MASK_KEYS.isdisjoint(self._params.dataset)

    @property
    def template(self) -> str:
        """Chat template that renders the rows."""
        return str(self._strategy.prompter.chat_template)

    @property
    def variables(self) -> dict[str, Any]:
        """Variables that the chat template gets."""
        return dict(self._config.get(TEMPLATE) or {})

    def read_model_template(self) -> str | None:
        """Return the chat template that the base model comes with."""
        from transformers import AutoTokenizer

        trust = self._params.trust_remote_code
        tokenizer = AutoTokenizer.from_pretrained(self._context.inputs["model"], trust_remote_code=trust)
        return tokenizer.chat_template if isinstance(tokenizer.chat_template, str) else None

    def with_keys(self, keys: Mapping[str, Any]) -> RowTokenizer:
        """Return a tokenizer of rows with other values of these trainer keys. The tokenizer itself is the same."""
        from axolotl.prompt_strategies import load

        other = copy(self)
        other._config = type(self._config)({**self._config, **keys})
        other._strategy = load(STRATEGIES[self._kind], self.tokenizer, other._config, self._entry)
        return other

    def check_row(self, tokens: Tokens) -> RowOutcome:
        """Check a row with these tokens, and cut it if it is too long and the recipe says so."""
        if tokens.fault is not None:
            return RowOutcome(tokens, problem=tokens.fault)
        if len(tokens.ids) > self.sequence_len:
            if not self.cuts:
                return RowOutcome(tokens, dropped=True)
            ids, labels = tokens.ids[: self.sequence_len], tokens.labels[: self.sequence_len]
            tokens = replace(tokens, ids=ids, labels=labels, cut=True)
        return RowOutcome(tokens, problem=self._find_problem(tokens))

    def _find_problem(self, tokens: Tokens) -> str | None:
        """Return the reason why a row must not be trained, or None. The first token is never trained."""
        if len(tokens.ids) == 1:
            return "the row is a single token, which trains nothing"
        trained = [label for label in tokens.labels[1:] if label != IGNORED]
        if not trained:
            return "no token of the row would be trained" + (
                " because `sequence_len` cuts it before the answer" if tokens.cut else ""
            )
        if self._kind != "chat" or tokens.cut or self._params.untrained_end_of_turn or trained[-1] in self._ends:
            return None
        last = self.tokenizer.convert_ids_to_tokens(trained[-1])
        ends = ", ".join(self.tokenizer.convert_ids_to_tokens(sorted(self._ends)))
        return (
            "the end of the assistant's turn is not trained, so the model would not learn to stop "
            f"(the last trained token is {last!r}, not {ends})"
        )

    def tokenize(self, example: Mapping[str, Any]) -> Tokens:
        """Return all tokens of an example, without a limit on their number."""
        for probe, fault in self._faults:
            if probe.concerns(example["messages"]):
                return Tokens([], [], fault=fault)
        row = {key: value for key, value in example.items() if key != "place"}
        if self._kind == "segments":
            row = {"segments": self._add_end_tokens(row["segments"])}
        losses = frozenset[str]()
        if self._kind != "chat":
            result = self._apply_strategy(row)
        else:
            try:
                with limit_rendering():
                    result = self._apply_strategy(row)
                    losses = self._find_losses(row)
            except (TimeLimitError, MemoryError) as error:
                return Tokens([], [], fault=describe_excess(error), is_excessive=True)
            except Exception as error:  # the template rejects the row or fails on it
                return Tokens([], [], fault=f"the chat template cannot render the row: {format_error(error)}")
        return Tokens(list(result["input_ids"]), list(result["labels"]), losses=losses)

    def _find_losses(self, row: dict[str, Any]) -> frozenset[str]:
        """Return the kinds of content of a chat that its template leaves out."""
        turns, tools = self._strategy.get_conversation_thread(row), self._strategy._get_tools(row)
        text = self._strategy.prompter.build_prompt_text(turns, tools=tools)
        return frozenset(find_losses(row["messages"], row.get("tools") or (), text)) if text else frozenset()

    def _apply_strategy(self, row: dict[str, Any]) -> Mapping[str, list[int]]:
        if not self._strategy.supports_batched:
            result: Mapping[str, list[int]] = self._strategy.tokenize_prompt(row)
            return result
        batch = self._strategy.tokenize_prompt({key: [value] for key, value in row.items()})
        return {key: values[0] for key, values in batch.items()}

    def _add_end_tokens(self, segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Add the tokenizer's begin token to the segments, and its end token if the last segment is trained."""
        begin = [{"text": self.tokenizer.bos_token, "label": False}] if adds_begin(self.tokenizer) else []
        end = [{"text": self.tokenizer.eos_token, "label": True}] if segments[-1]["label"] else []
        return [*begin, *segments, *end]


def format_error(error: BaseException) -> str:
    """Return an error of a chat template as one short line."""
    text = " ".join(str(error).split())[:200]
    return text if type(error).__name__ == "TemplateError" else f"{type(error).__name__}: {text}"
