"""Modal's errors as ftrun's: one line that says what is missing, and the command that mends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ftrun.api.errors import InvalidInput, Problem


@contextmanager
def modal_errors(doing: str) -> Iterator[None]:
    """Turns what Modal raises while `doing` something into `InvalidInput`."""
    import modal

    error = modal.exception
    try:
        yield
    except error.AuthError as reason:
        problem = Problem(
            "missing-account", f"Modal does not know this machine: {_first(reason)}", hint="modal token new"
        )
        raise InvalidInput(problem) from reason
    except error.NotFoundError as reason:
        raise InvalidInput(
            Problem("modal-error", f"{doing}: {_first(reason)}", hint="`ftrun doctor` looks at everything")
        ) from reason
    except error.ImageBuildError as reason:
        raise InvalidInput(
            Problem("image-failed", f"{doing}: {_first(reason)}", hint=f"modal image logs {reason.image_id}")
        ) from reason
    except (error.ConnectionError, error.ServiceError, TimeoutError) as reason:
        what = f"Modal cannot be reached while {doing}: {_first(reason)}"
        raise InvalidInput(
            Problem("network", what, hint="check the network; runs that were submitted go on without it")
        ) from reason
    except error.Error as reason:
        raise InvalidInput(Problem("modal-error", f"{doing}: {_first(reason)}")) from reason


def _first(reason: BaseException) -> str:
    text = str(reason).strip()
    return text.splitlines()[0][:300] if text else type(reason).__name__
