"""The verbs `ftrun serve` and `ftrun chat`."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

from ftrun.api.backends import Remote
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import default_store
from ftrun.api.serving_spec import Endpoint, Serving
from ftrun.cli.run_lookup import find_run, remote_of, remotes
from ftrun_plugins.serving.local_server import API_KEY, LocalServer
from ftrun_plugins.serving.serve_target import ServeTarget

log = logging.getLogger(__name__)

PORT = 8000


@click.command()
@click.option("--port", default=PORT, show_default=True, help="On this machine.")
@click.option("--list", "listing", is_flag=True, help="List the servers of runs elsewhere.")
@click.option("--stop", is_flag=True, help="Stop the run's server elsewhere.")
@click.argument("run", default="last")
@click.argument("overrides", nargs=-1)
def serve(run: str, overrides: tuple[str, ...], port: int, listing: bool, stop: bool) -> int:
    """Serves the models of a run, or of a recipe, behind OpenAI's API.

    A run of this machine is served here, for as long as the command runs, or with `backend=modal` on Modal; one on
    Modal is served there. Overrides of `serve` and `resources.serve` hold for this server alone.
    """
    if "=" in run and not run.startswith("recipe="):
        run, overrides = "last", (run, *overrides)
    if listing:
        return _list()
    if stop:
        return _stop(run)
    target = ServeTarget.of(run, overrides)
    if target.remote is None:
        here = LocalServer(target, port)
        with suppress(KeyboardInterrupt), here.running() as endpoint:
            print_endpoint(target.serving, endpoint)
            here.watch()
        return 0
    changes = [one for one in overrides if not one.startswith("backend=")]
    if changes and any(known.run == target.folder.id for known in target.remote.servers()):
        do = f"ftrun serve --stop {target.folder.id}, and serve it again"
        raise InvalidInput(
            Problem("server-exists", "the run has a server already, which overrides do not change", hint=do)
        )
    endpoint = _elsewhere(target, target.remote)
    print_endpoint(target.serving, endpoint)
    if not endpoint.key and not target.recipe.serve.public:
        stop_it = f"ftrun serve --stop {endpoint.run}"
        print(f"key      was shown when it was deployed; for another: {stop_it}, and serve again")
    return 0


@click.command()
@click.option("--model", help="base or tuned; without it the tuned one, where there is one.")
@click.option("--raw", is_flag=True, help="Send the text as it is, without the chat template.")
@click.option("--max-tokens", default=512, show_default=True, help="Of an answer.")
@click.option("--temperature", default=0.0, show_default=True)
@click.argument("run")
@click.argument("prompt", required=False)
def chat(run: str, prompt: str | None, model: str | None, raw: bool, max_tokens: int, temperature: float) -> int:
    """Talks to the models of a run; with a prompt, prints one answer and ends."""
    from ftrun_plugins.serving.chat import Chat
    from ftrun_plugins.serving.openai_client import ChatClient

    target = ServeTarget.of(run)
    names = target.serving.names
    if model is not None and model not in names:
        raise InvalidInput(
            Problem("unknown-name", f"there is no model `{model}`", expected=f"one of {', '.join(names)}")
        )
    with _answering(target) as endpoint:
        asker = ChatClient(endpoint, max_tokens, temperature, raw)
        talk = Chat(asker, names, model or names[-1])
        if prompt is None:
            talk.run()
        else:
            talk.answer(prompt)
    return 0


@contextmanager
def _answering(target: ServeTarget) -> Iterator[Endpoint]:
    """A server that can be asked, with its key; one of this machine lives as long as the block."""
    if target.remote is None:
        with LocalServer(target, 0).running() as endpoint:
            yield endpoint
        return
    endpoint = _elsewhere(target, target.remote)
    key = endpoint.key or os.environ.get(API_KEY)
    if endpoint.key:
        log.info("its key is %s: export %s=…", endpoint.key, API_KEY)
    if not key and not target.recipe.serve.public:
        what = "the server asks for the key that was shown when it was deployed"
        raise InvalidInput(
            Problem(
                "missing-secret", what, hint=f"export {API_KEY}=…, or ftrun serve --stop {target.folder.id} for another"
            )
        )
    yield Endpoint(endpoint.run, endpoint.url, key)


def _elsewhere(target: ServeTarget, remote: Remote) -> Endpoint:
    for ref in target.to_push:
        remote.push(ref, target.store.artifact(ref), log.info)
    return remote.serve(target.serving, target.recipe, log.info)


def _list() -> int:
    for endpoint in (endpoint for remote in remotes() for endpoint in remote.servers()):
        print(f"{endpoint.run:<34} {endpoint.url}/v1")
    return 0


def _stop(run: str) -> int:
    store = default_store()
    folder = find_run(store, run)
    home = remote_of(store, folder)
    for remote in [home] if home is not None else remotes():
        if home is not None or any(endpoint.run == folder.id for endpoint in remote.servers()):
            remote.stop_server(folder.id)
            break
    else:
        raise InvalidInput(
            Problem("unknown-server", f"{folder.id} has no server elsewhere; Ctrl-C stops one of this machine")
        )
    print(f"the server of {folder.id} was stopped")
    return 0


def print_endpoint(serving: Serving, endpoint: Endpoint) -> None:
    """Where the server is, and a request that works as it stands."""
    if serving.note:
        log.info(serving.note)
    print(f"url      {endpoint.url}/v1")
    print(f"models   {', '.join(serving.names)}")
    if endpoint.key:
        print(f"key      {endpoint.key}")
    print(f"try      {_curl(endpoint, serving.names[-1])}", flush=True)


def _curl(endpoint: Endpoint, model: str) -> str:
    """A request for a chat completion."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 32})
    header = (
        f" -H 'Authorization: Bearer {endpoint.key}'" if endpoint.key else f' -H "Authorization: Bearer ${API_KEY}"'
    )
    return f"curl {endpoint.url}/v1/chat/completions{header} -H 'Content-Type: application/json' -d '{body}'"
