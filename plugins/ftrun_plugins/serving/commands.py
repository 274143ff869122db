"""The commands `ftrun serve` and `ftrun chat`."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import default_store
from ftrun.api.remote import Remote
from ftrun.api.serving_spec import Endpoint, Serving
from ftrun.cli.run_lookup import find_run, remote_of, remotes
from ftrun.cli.trust_option import trust_option
from ftrun_plugins.serving.local_server import API_KEY, LocalServer
from ftrun_plugins.serving.serve_target import ServeTarget

log = logging.getLogger(__name__)

PORT = 8000


@click.command()
@click.option("--port", default=PORT, show_default=True, help="Port on this machine.")
@click.option("--list", "listing", is_flag=True, help="List the servers on other machines.")
@click.option("--stop", is_flag=True, help="Stop the run's server on another machine.")
@trust_option
@click.argument("run", default="last")
@click.argument("overrides", nargs=-1)
def serve(run: str, overrides: tuple[str, ...], port: int, listing: bool, stop: bool, trust: bool) -> int:
    """Serve the models of a run, or of a recipe, with OpenAI's API.

    A run of this machine is served here as long as the command runs, or on Modal with `backend=modal`. A run on Modal
    is served on Modal. Overrides of `serve` and `resources.serve` apply to this server only.
    """
    if "=" in run and not run.startswith("recipe="):
        run, overrides = "last", (run, *overrides)
    if listing:
        return _list_servers()
    if stop:
        return _stop_server(run)
    target = ServeTarget.find(run, overrides, trust)
    if target.remote is None:
        server = LocalServer(target, port)
        with suppress(KeyboardInterrupt), server.start() as endpoint:
            print_endpoint(target.serving, endpoint)
            server.watch()
        return 0
    changes = [override for override in overrides if not override.startswith("backend=")]
    if changes and any(server.run == target.folder.id for server in target.remote.servers()):
        hint = f"ftrun serve --stop {target.folder.id}, then serve it again"
        raise InvalidInput(
            Problem("server-exists", "the run already has a server, and overrides cannot change it", hint=hint)
        )
    endpoint = _deploy(target, target.remote)
    print_endpoint(target.serving, endpoint)
    if not endpoint.key and not target.recipe.serve.public:
        command = f"ftrun serve --stop {endpoint.run}"
        print(f"key      was shown at deployment; to get a new key, run `{command}` and serve again")
    return 0


@click.command()
@click.option("--model", help="Model to talk to: base or tuned. The default is tuned if the run has it.")
@click.option("--raw", is_flag=True, help="Send the text without the chat template.")
@click.option("--max-tokens", default=512, show_default=True, help="Maximum number of tokens per answer.")
@click.option("--temperature", default=0.0, show_default=True, help="Sampling temperature of the answers.")
@trust_option
@click.argument("run")
@click.argument("prompt", required=False)
def chat(
    run: str, prompt: str | None, model: str | None, raw: bool, max_tokens: int, temperature: float, trust: bool
) -> int:
    """Talk to the models of a run, or print the answer to one prompt."""
    from ftrun_plugins.serving.chat import Chat
    from ftrun_plugins.serving.openai_client import ChatClient

    target = ServeTarget.find(run, (), trust)
    names = target.serving.names
    if model is not None and model not in names:
        raise InvalidInput(Problem("unknown-name", f"unknown model `{model}`", expected=f"one of {', '.join(names)}"))
    with _open_endpoint(target) as endpoint:
        client = ChatClient(endpoint, max_tokens, temperature, raw)
        talk = Chat(client, names, model or names[-1])
        if prompt is None:
            talk.run()
        else:
            talk.answer(prompt)
    return 0


@contextmanager
def _open_endpoint(target: ServeTarget) -> Iterator[Endpoint]:
    """Return a running server with its key. A server of this machine runs until the end of the block."""
    if target.remote is None:
        with LocalServer(target, 0).start() as endpoint:
            yield endpoint
        return
    endpoint = _deploy(target, target.remote)
    key = endpoint.key or os.environ.get(API_KEY)
    if endpoint.key:
        log.info("the server's key is %s; to use it again, export %s=…", endpoint.key, API_KEY)
    if not key and not target.recipe.serve.public:
        what = "the server needs the key that was shown at deployment"
        raise InvalidInput(
            Problem(
                "missing-secret",
                what,
                hint=f"export {API_KEY}=…, or ftrun serve --stop {target.folder.id} and serve again",
            )
        )
    yield Endpoint(endpoint.run, endpoint.url, key)


def _deploy(target: ServeTarget, remote: Remote) -> Endpoint:
    for ref in target.to_push:
        remote.push(ref, target.store.artifact(ref), log.info)
    return remote.serve(target.serving, target.recipe, log.info)


def _list_servers() -> int:
    for endpoint in (endpoint for remote in remotes() for endpoint in remote.servers()):
        print(f"{endpoint.run:<34} {endpoint.url}/v1")
    return 0


def _stop_server(run: str) -> int:
    store = default_store()
    folder = find_run(store, run)
    home = remote_of(store, folder)
    for remote in [home] if home is not None else remotes():
        if home is not None or any(endpoint.run == folder.id for endpoint in remote.servers()):
            remote.stop_server(folder.id)
            break
    else:
        raise InvalidInput(
            Problem(
                "unknown-server",
                f"{folder.id} has no server on another machine",
                hint="Ctrl-C stops a server of this machine",
            )
        )
    print(f"the server of {folder.id} was stopped")
    return 0


def print_endpoint(serving: Serving, endpoint: Endpoint) -> None:
    """Print the server's URL, models and key, and a request to try."""
    if serving.note:
        log.info(serving.note)
    print(f"url      {endpoint.url}/v1")
    print(f"models   {', '.join(serving.names)}")
    if endpoint.key:
        print(f"key      {endpoint.key}")
    print(f"try      {_curl(endpoint, serving.names[-1])}", flush=True)


def _curl(endpoint: Endpoint, model: str) -> str:
    """Return a curl command that requests a chat completion."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 32})
    header = (
        f" -H 'Authorization: Bearer {endpoint.key}'" if endpoint.key else f' -H "Authorization: Bearer ${API_KEY}"'
    )
    return f"curl {endpoint.url}/v1/chat/completions{header} -H 'Content-Type: application/json' -d '{body}'"
