"""Submits stage calls as function calls: with the resources and secrets of each, and written into the claims."""

from __future__ import annotations

from typing import Any

from ftrun.api.stage_call import StageCall
from ftrun_plugins.modal.claims import Claims
from ftrun_plugins.modal.function_names import container_options, function_name
from ftrun_plugins.modal.gpus import LONGEST
from ftrun_plugins.modal.requests import LaunchRequest, StageRequest
from ftrun_plugins.modal.retry import retry

PREEMPTIONS = 3  # without a new checkpoint between them, beside the retries of crashes


class Submitter:
    """Submits the calls of one run. Whoever uses it has taken the generation that it submits."""

    def __init__(self, request: LaunchRequest, claims: Claims) -> None:
        self._request = request
        self._claims = claims

    def submit(self, call: StageCall, generation: int) -> str:
        """The id of the function call that works on the generation from now on."""
        import modal

        options = self._request.options
        request = StageRequest(
            call=call,
            run=self._request.record.id,
            generation=generation,
            volume=options.volume,
            claims=self._request.claims,
            most_tries=self._retries(call) + 1 + PREEMPTIONS,
        )
        name = function_name(call)
        function = modal.Function.from_name(self._request.app, name, environment_name=options.environment)
        # a submission whose answer was lost may be there twice: the claim lets one of them work
        submission = retry(lambda: function.with_options(**self._settings(call)).spawn(request.packed()))
        return self._claims.begin(call.ref, generation, str(submission.object_id))

    def _retries(self, call: StageCall) -> int:
        return self._request.options.retries if call.work.retries is None else call.work.retries

    def _settings(self, call: StageCall) -> dict[str, Any]:
        import modal

        work, options = call.work, self._request.options
        names = [name for name in (*call.secrets, *call.optional_secrets) if name in self._request.secrets]
        found: dict[str, Any] = {
            **container_options(work.cpu, work.memory, work.region),
            "timeout": min(work.timeout or LONGEST, LONGEST),
            "retries": modal.Retries(max_retries=self._retries(call), initial_delay=1.0, backoff_coefficient=2.0),
            "secrets": [
                modal.Secret.from_name(options.secret(name), environment_name=options.environment) for name in names
            ],
        }
        if work.gpus and len(work.gpu) == 1:  # an order of preference is part of its function
            found["gpu"] = work.gpu[0]
        return found
