"""Check of the files of a model: weights in pickles are refused, because loading a pickle runs what it holds."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatch

from ftrun.api.errors import InvalidInput, Problem

SAFE = "*.safetensors"
PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle")
MOST_NAMES = 3
HINT = (
    "use a revision with safetensors (a conversion may be open on the hub: model.revision=refs/pr/N); or, if you trust "
    "the author, convert it: `AutoModelForCausalLM.from_pretrained(NAME).save_pretrained(FOLDER)`, then "
    "model.weights={origin: folder, path: FOLDER}"
)


def check_weights(names: Iterable[str], where: str, at: str) -> None:
    """Check that a model has weights in safetensors.

    Args:
        names: Names of its files, relative to its folder.
        where: Name of the repository or path of the folder.
        at: Key of the recipe with it.

    Raises:
        InvalidInput: If it has only weights in another format, or none.
    """
    files = sorted(name for name in names if "/" not in name)
    if any(fnmatch(name, SAFE) for name in files):
        return
    pickled = [name for name in files if any(fnmatch(name, pattern) for pattern in PICKLED)]
    if pickled:
        more = f" and {len(pickled) - MOST_NAMES} more" if len(pickled) > MOST_NAMES else ""
        what = f"the weights of {where} are in files that can run code when they are loaded: "
        raise InvalidInput(
            Problem("pickled-weights", f"{what}{', '.join(pickled[:MOST_NAMES])}{more}", at, SAFE, hint=HINT)
        )
    what = f"{where} has no weights"
    raise InvalidInput(Problem("missing-weights", what, at, SAFE, hint="check the name and the revision"))
