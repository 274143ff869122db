"""Submission of stage calls as function calls, with their resources and secrets, recorded in the claims."""

from __future__ import annotations

from typing import Any

from ftrun.api.stage_call import StageCall
from ftrun_plugins.modal.claims import Claims
from ftrun_plugins.modal.function_names import container_options, function_name
from ftrun_plugins.modal.gpus import MAX_TIMEOUT
from ftrun_plugins.modal.requests import LaunchRequest, StageRequest
from ftrun_plugins.modal.retry import retry

PREEMPTIONS = 3  # that a call survives without a new checkpoint, in addition to the retries of crashes


class Submitter:
    """Submitter of the calls of one run. The caller must have acquired the generation to submit."""

    def __init__(self, request: LaunchRequest, claims: Claims) -> None:
        self._request = request
        self._claims = claims

    def submit(self, call: StageCall, generation: int) -> str:
        """Submit a call and return the id of the function call that works on the generation."""
        import modal

        options = self._request.options
        request = StageRequest(
            call=call,
            run=self._request.record.id,
            generation=generation,
            volume=options.volume,
            claims=self._request.claims,
            most_tries=self._max_retries(call) + 1 + PREEMPTIONS,
        )
        name = function_name(call)
        function = modal.Function.from_name(self._request.app, name, environment_name=options.environment)
        # if an answer is lost, the call is submitted twice: the claim lets only one of the two work
        submission = retry(lambda: function.with_options(**self._function_options(call)).spawn(request.pack()))
        return self._claims.attach(call.ref, generation, str(submission.object_id))

    def _max_retries(self, call: StageCall) -> int:
        return self._request.options.retries if call.work.retries is None else call.work.retries

    def _function_options(self, call: StageCall) -> dict[str, Any]:
        import modal

        work, options = call.work, self._request.options
        names = [name for name in (*call.secrets, *call.optional_secrets) if name in self._request.secrets]
        settings: dict[str, Any] = {
            **container_options(work.cpu, work.memory, work.region),
            "timeout": min(work.timeout or MAX_TIMEOUT, MAX_TIMEOUT),
            "retries": modal.Retries(max_retries=self._max_retries(call), initial_delay=1.0, backoff_coefficient=2.0),
            "secrets": [
                modal.Secret.from_name(options.secret(name), environment_name=options.environment) for name in names
            ],
        }
        if work.gpus and len(work.gpu) == 1:  # an order of preference is set in the function
            settings["gpu"] = work.gpu[0]
        return settings
