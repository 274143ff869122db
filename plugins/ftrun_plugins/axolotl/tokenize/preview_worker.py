"""Process that tokenizes a few examples for a preview, with the code of the stage `tokenize`.

    python -I env_launcher.py ftrun_plugins.axolotl.tokenize.preview_worker

It imports its packages at once, while its parent still formats rows. Then it reads one request, a line of JSON, from its
input.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ftrun.api.errors import FtrunError

INCOMPLETE = "\ufffd"  # what a decoder shows of half a character


def main() -> None:
    import axolotl.cli.config  # while the request is still being made
    import axolotl.loaders.tokenizer
    import axolotl.prompt_strategies.chat_template  # noqa: F401

    request = json.loads(sys.stdin.readline())
    try:
        answer = tokenize_examples(request)
    except FtrunError as error:
        answer = {"problems": [problem.as_dict() for problem in error.problems]}
    Path(request["answer"]).write_text(json.dumps(answer), encoding="utf-8")


def tokenize_examples(request: dict[str, Any]) -> dict[str, Any]:
    """Return what training would see of each example of a request."""
    from ftrun.api.context import Reporter, StageContext
    from ftrun_plugins.axolotl.tokenize.params import Params
    from ftrun_plugins.axolotl.tokenize.worker import TokenizeWorker

    work = Path(request["work"])
    context = StageContext(
        output=work / "output",
        work=work / "work",
        inputs={"model": Path(request["model"])},
        files={},
        report=Reporter("preview", work / "events.jsonl"),
    )
    tokenizing = TokenizeWorker(Params.model_validate(request["params"]), request["kind"], context)
    rows = [_row(tokenizing, example) for example in request["examples"]]
    return {"rows": rows, "sequence_len": tokenizing.sequence_len, "cuts": tokenizing.cuts}


def _row(tokenizing: Any, example: dict[str, Any]) -> dict[str, Any]:
    whole = tokenizing.tokenize(example)
    fate = tokenizing.fate(whole)
    special = _special(tokenizing.tokenizer)
    pieces = list(_pieces(tokenizing.tokenizer, whole.ids, whole.labels, special))
    return {
        "place": str(example["place"]),
        "ids": whole.ids,
        "labels": whole.labels,
        "pieces": pieces,
        "dropped": fate.dropped,
        "problem": fate.problem,
    }


def _special(tokenizer: Any) -> set[int]:
    """Tokens that no plain text is made of: the special ones, and all that were added to the vocabulary."""
    return {*tokenizer.all_special_ids, *getattr(tokenizer, "added_tokens_decoder", {})}


def _pieces(
    tokenizer: Any, ids: Sequence[int], labels: Sequence[int], special: set[int]
) -> Iterator[tuple[int, str, bool, bool]]:
    """How many tokens, their text, whether they are trained, whether they are special.

    Mostly one token; several where only together they are a character. A token's text is what it adds to that of the
    token before it, for some decoders leave the first space of a text out.
    """
    start = 0
    for place, one in enumerate(ids):
        trained, is_special = labels[place] >= 0, one in special
        if is_special:
            text = str(tokenizer.convert_ids_to_tokens(one))
        else:
            before = list(ids[start - 1 : start]) if start and ids[start - 1] not in special else []
            text = _added(tokenizer, before, list(ids[start : place + 1]))
        last = place + 1 == len(ids)
        ends = last or (labels[place + 1] >= 0) != trained or ids[place + 1] in special
        if text.endswith(INCOMPLETE) and not ends and not is_special:
            continue
        yield place + 1 - start, text, trained, is_special
        start = place + 1


def _added(tokenizer: Any, before: list[int], ids: list[int]) -> str:
    def decode(some: list[int]) -> str:
        return str(tokenizer.decode(some, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    if not before:
        return decode(ids)
    known = decode(before)
    text = decode([*before, *ids])
    return text[len(known) :] if text.startswith(known) else decode(ids)
