"""Chat in the terminal with the models of a run. Each model has its own conversation."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import orjson

from ftrun.api.errors import InvalidInput
from ftrun.api.output_file import write_output
from ftrun_plugins.serving.openai_client import ChatClient, Message

HELP = """\
  /base, /tuned, /both   Choose the models that answer.
  /system TEXT           Set the system message; without a text, remove it.
  /new                   Start new conversations.
  /save FILE             Write the conversations as JSON lines.
  /quit, or Ctrl-D       End the chat."""


class Chat:
    """Conversations with the models of a server."""

    def __init__(self, client: ChatClient, models: Sequence[str], model: str) -> None:
        self._client = client
        self._models = tuple(models)
        self._active: tuple[str, ...] = (model,)
        self._system: str | None = None
        self._messages: dict[str, list[Message]] = {name: [] for name in models}

    def run(self) -> None:
        """Read lines and answer them until the user ends the chat."""
        with suppress(ImportError):
            import readline  # noqa: F401  (for editing and history of lines)
        print(f"  {', '.join(self._active)} answers; /help lists the commands", file=sys.stderr)
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
        """Print the answer of each active model as it arrives."""
        for model in self._active:
            if len(self._active) > 1:
                print(f"{model}: ", end="", flush=True)
            pieces: list[str] = []
            question: Message = {"role": "user", "content": text}
            for piece in self._client.stream(model, [*self._system_message(), *self._messages[model], question]):
                pieces.append(piece)
                print(piece, end="", flush=True)
            print(flush=True)
            self._messages[model] += [question, {"role": "assistant", "content": "".join(pieces)}]

    def _system_message(self) -> list[Message]:
        return [{"role": "system", "content": self._system}] if self._system else []

    def command(self, text: str) -> None:
        """Run one line that begins with a slash."""
        name, _, rest = text[1:].partition(" ")
        rest = rest.strip()
        if name in self._models:
            self._active = (name,)
        elif name == "both":
            self._active = self._models
        elif name == "system":
            self._system = rest or None
        elif name == "new":
            self._messages = {model: [] for model in self._models}
        elif name == "save" and rest:
            self._save(Path(rest))
        elif name == "help":
            print(HELP, file=sys.stderr)
        else:
            print(f"  unknown command /{name}; the models are {', '.join(self._models)}\n{HELP}", file=sys.stderr)

    def _save(self, path: Path) -> None:
        rows = [
            {"model": model, "messages": [*self._system_message(), *messages]}
            for model, messages in self._messages.items()
            if messages
        ]
        try:
            write_output(path, "".join(orjson.dumps(row).decode() + "\n" for row in rows))
        except InvalidInput as error:
            print(f"  not saved: {error}", file=sys.stderr)
            return
        print(f"  saved {len(rows)} conversations to {path}", file=sys.stderr)
