"""The state of a function call by its id, told apart from the errors that Modal raises for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ftrun_plugins.modal.retry import retry

Ending = Literal["answered", "timed_out", "cancelled", "crashed", "lost"]


@dataclass(frozen=True)
class CallResult:
    """How a function call ended; `lost` where Modal no longer knows it."""

    how: Ending
    answer: Any = None
    reason: str = ""


def poll(call_id: str, seconds: float = 0.0) -> CallResult | None:
    """How the call ended; None where it still goes on after so many seconds."""
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
        return None  # the control plane is not there for a while; the call may well be
    except Exception as reason:  # what the function raised itself comes as it was raised
        return CallResult("crashed", reason=f"{type(reason).__name__}: {reason}")


def is_alive(call_id: str) -> bool:
    return poll(call_id) is None


def cancel(call_id: str, at_once: bool = False) -> None:
    """Asks a call to end; one that has ended, or that Modal no longer knows, is left alone."""
    import modal

    try:
        retry(lambda: modal.FunctionCall.from_id(call_id).cancel(terminate_containers=at_once))
    except modal.exception.NotFoundError:
        return
