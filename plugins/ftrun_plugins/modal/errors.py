"""Conversion of Modal's errors to errors of ftrun, with one line of text and a hint how to fix them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ftrun.api.errors import InvalidInput, Problem
from ftrun.utils.text import first_line


@contextmanager
def modal_errors(doing: str) -> Iterator[None]:
    """Convert errors of Modal in the block to `InvalidInput`. `doing` names the action, such as "deploying"."""
    import modal

    error = modal.exception
    try:
        yield
    except error.AuthError as reason:
        problem = Problem(
            "missing-account", f"Modal does not accept this machine: {_first_line(reason)}", hint="modal token new"
        )
        raise InvalidInput(problem) from reason
    except error.NotFoundError as reason:
        raise InvalidInput(
            Problem(
                "modal-error", f"{doing}: {_first_line(reason)}", hint="`ftrun doctor backend=modal` checks the account"
            )
        ) from reason
    except error.ImageBuildError as reason:
        raise InvalidInput(
            Problem("image-failed", f"{doing}: {_first_line(reason)}", hint=f"modal image logs {reason.image_id}")
        ) from reason
    except (error.ConnectionError, error.ServiceError, TimeoutError) as reason:
        what = f"Modal cannot be reached while {doing}: {_first_line(reason)}"
        raise InvalidInput(
            Problem("network", what, hint="check the network; submitted runs continue without it")
        ) from reason
    except error.Error as reason:
        raise InvalidInput(Problem("modal-error", f"{doing}: {_first_line(reason)}")) from reason


def _first_line(reason: BaseException) -> str:
    return first_line(reason) or type(reason).__name__
