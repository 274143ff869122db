"""A chat in the terminal with one model of a run or with both, each with a conversation of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import orjson

from ftrun.api.errors import InvalidInput
from ftrun.utils.atomic_io import write_text
from ftrun_plugins.serving.openai_client import ChatClient, Message

HELP = """\
  /base, /tuned, /both   who answers
  /system TEXT           what the models are told before the conversation; alone: nothing
  /new                   begins again
  /save FILE             writes the conversations as JSON lines
  /quit, or Ctrl-D       ends"""


class Chat:
    """Conversations with the models that a server has."""

    def __init__(self, asker: ChatClient, models: Sequence[str], model: str) -> None:
        self._asker = asker
        self._models = tuple(models)
        self._answering: tuple[str, ...] = (model,)
        self._system: str | None = None
        self._said: dict[str, list[Message]] = {name: [] for name in models}

    def run(self) -> None:
        """Until the user has enough."""
        with suppress(ImportError):
            import readline  # noqa: F401  (lines can be edited, and found again)
        print(f"  {', '.join(self._answering)} answers; /help lists the commands", file=sys.stderr)
        while True:
            try:
                text = input("> ").strip()
            except (EOFError, KeyboardInterrupt):
                print(file=sys.stderr)
                return
            if text in ("/quit", "/exit"):
                return
            if text.startswith("/"):
                self.command(text)
            elif text:
                self._turn(text)

    def _turn(self, text: str) -> None:
        try:
            self.answer(text)
        except KeyboardInterrupt:
            print("\n  (stopped)", file=sys.stderr)
        except InvalidInput as error:
            print(f"  {error.problems[0].what}", file=sys.stderr)

    def answer(self, text: str) -> None:
        """Prints the answer of each model that answers, as it comes."""
        for model in self._answering:
            if len(self._answering) > 1:
                print(f"{model}: ", end="", flush=True)
            pieces: list[str] = []
            asked: Message = {"role": "user", "content": text}
            for piece in self._asker.stream(model, [*self._before(), *self._said[model], asked]):
                pieces.append(piece)
                print(piece, end="", flush=True)
            print(flush=True)
            self._said[model] += [asked, {"role": "assistant", "content": "".join(pieces)}]

    def _before(self) -> list[Message]:
        return [{"role": "system", "content": self._system}] if self._system else []

    def command(self, text: str) -> None:
        """One line that begins with a slash."""
        name, _, rest = text[1:].partition(" ")
        rest = rest.strip()
        if name in self._models:
            self._answering = (name,)
        elif name == "both":
            self._answering = self._models
        elif name == "system":
            self._system = rest or None
        elif name == "new":
            self._said = {model: [] for model in self._models}
        elif name == "save" and rest:
            self._save(Path(rest))
        elif name == "help":
            print(HELP, file=sys.stderr)
        else:
            print(f"  there is no /{name} here; the models are {', '.join(self._models)}\n{HELP}", file=sys.stderr)

    def _save(self, path: Path) -> None:
        rows = [
            {"model": model, "messages": [*self._before(), *messages]}
            for model, messages in self._said.items()
            if messages
        ]
        try:
            write_text(path, "".join(orjson.dumps(row).decode() + "\n" for row in rows))
        except OSError as error:
            print(f"  not saved: {error}", file=sys.stderr)
            return
        print(f"  {len(rows)} conversations are in {path}", file=sys.stderr)
