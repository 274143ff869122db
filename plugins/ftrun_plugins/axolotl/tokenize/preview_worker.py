"""Process that tokenizes a few examples for `ftrun preview`, with the code of the stage `tokenize`.

    python -I env_launcher.py ftrun_plugins.axolotl.tokenize.preview_worker

It imports its packages immediately, while its parent still formats rows. Then it reads one request from standard input,
a line of JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ftrun.api.errors import FtrunError

INCOMPLETE = "\ufffd"  # decoders write this for an incomplete character


def main() -> None:
    import axolotl.cli.config  # imported before the request is complete, to save time
    import axolotl.loaders.tokenizer
    import axolotl.prompt_strategies.chat_template  # noqa: F401

    request = json.loads(sys.stdin.readline())
    try:
        answer = tokenize_examples(request)
    except FtrunError as error:
        answer = {"problems": [problem.as_dict() for problem in error.problems]}
    Path(request["answer"]).write_text(json.dumps(answer), encoding="utf-8")


def tokenize_examples(request: dict[str, Any]) -> dict[str, Any]:
    """Return the token ids, labels and text pieces of each example of a request, as training would use them."""
    from ftrun.api.context import Reporter, StageContext
    from ftrun_plugins.axolotl.tokenize.params import Params
    from ftrun_plugins.axolotl.tokenize.row_tokenizer import RowTokenizer

    work = Path(request["work"])
    context = StageContext(
        output=work / "output",
        work=work / "work",
        inputs={"model": Path(request["model"])},
        files={},
        report=Reporter("preview", work / "events.jsonl"),
    )
    worker = RowTokenizer(Params.model_validate(request["params"]), request["kind"], context)
    rows = [_tokenize_row(worker, example) for example in request["examples"]]
    return {"rows": rows, "sequence_len": worker.sequence_len, "cuts": worker.cuts}


def _tokenize_row(worker: Any, example: dict[str, Any]) -> dict[str, Any]:
    whole = worker.tokenize(example)
    outcome = worker.check_row(whole)
    special = _find_special_ids(worker.tokenizer)
    pieces = list(_split_pieces(worker.tokenizer, whole.ids, whole.labels, special))
    return {
        "place": str(example["place"]),
        "ids": whole.ids,
        "labels": whole.labels,
        "pieces": pieces,
        "dropped": outcome.dropped,
        "problem": outcome.problem,
        "losses": sorted(whole.losses),
    }


def _find_special_ids(tokenizer: Any) -> set[int]:
    """Return the ids of tokens that never come from plain text: special tokens and tokens added to the vocabulary."""
    return {*tokenizer.all_special_ids, *getattr(tokenizer, "added_tokens_decoder", {})}


def _split_pieces(
    tokenizer: Any, ids: Sequence[int], labels: Sequence[int], special: set[int]
) -> Iterator[tuple[int, str, bool, bool]]:
    """Yield the pieces of a row: number of tokens, text, whether they are trained, whether they are special.

    A piece is one token, or several tokens that only together form a character. The text of a token is the text that it
    adds to the token before it, because some decoders omit the first space of a text.
    """
    start = 0
    for index, number in enumerate(ids):
        trained, is_special = labels[index] >= 0, number in special
        if is_special:
            text = str(tokenizer.convert_ids_to_tokens(number))
        else:
            previous = list(ids[start - 1 : start]) if start and ids[start - 1] not in special else []
            text = _decode_after(tokenizer, previous, list(ids[start : index + 1]))
        last = index + 1 == len(ids)
        ends = last or (labels[index + 1] >= 0) != trained or ids[index + 1] in special
        if text.endswith(INCOMPLETE) and not ends and not is_special:
            continue
        yield index + 1 - start, text, trained, is_special
        start = index + 1


def _decode_after(tokenizer: Any, previous: list[int], ids: list[int]) -> str:
    def decode(numbers: list[int]) -> str:
        return str(tokenizer.decode(numbers, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    if not previous:
        return decode(ids)
    prefix = decode(previous)
    text = decode([*previous, *ids])
    return text[len(prefix) :] if text.startswith(prefix) else decode(ids)
