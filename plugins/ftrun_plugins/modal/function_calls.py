"""State of a function call by its id, derived from the errors that Modal raises for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ftrun_plugins.modal.retry import retry

Ending = Literal["answered", "timed_out", "cancelled", "crashed", "lost"]


@dataclass(frozen=True)
class CallResult:
    """End of a function call. `lost` means that Modal no longer knows the call."""

    status: Ending
    answer: Any = None
    reason: str = ""


def poll(call_id: str, seconds: float = 0.0) -> CallResult | None:
    """Return how a call ended, or None if it has not ended after `seconds`."""
    import modal

    error = modal.exception
    try:
        return CallResult("answered", modal.FunctionCall.from_id(call_id).get(timeout=seconds))
    except error.FunctionTimeoutError as reason:
        return CallResult("timed_out", reason=str(reason))
    except error.InputCancellation as reason:
        return CallResult("cancelled", reason=str(reason))
    except (error.OutputExpiredError, error.NotFoundError) as reason:
        return CallResult("lost", reason=str(reason))
    except TimeoutError:
        return None
    except error.RemoteError as reason:
        text = str(reason)
        was_cancelled = not text.strip() or "cancel" in text.lower() or "app was stopped" in text
        return CallResult("cancelled" if was_cancelled else "crashed", reason=text)
    except (error.ServiceError, error.ConnectionError):
        return None  # Modal is unreachable at the moment; the call may be alive
    except Exception as reason:  # Modal raises the function's own exception unchanged
        return CallResult("crashed", reason=f"{type(reason).__name__}: {reason}")


def is_alive(call_id: str) -> bool:
    return poll(call_id) is None


def cancel(call_id: str, terminate: bool = False) -> None:
    """Cancel a call, if Modal knows it and it has not ended. `terminate` also terminates its container."""
    import modal

    try:
        retry(lambda: modal.FunctionCall.from_id(call_id).cancel(terminate_containers=terminate))
    except modal.exception.NotFoundError:
        return
