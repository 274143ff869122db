"""The verb `ftrun serve`."""

from __future__ import annotations

import json
import sys

import click

from ftrun.cli.envs import declared_environments
from ftrun.cli.found import find_run, remote_of, remotes
from ftrun.contracts import Backend, Remote
from ftrun.errors import Problem, Refused
from ftrun.execute.run import make_backend, read_plan, read_recipe
from ftrun.plan.call import Ref
from ftrun.plan.serving import Endpoint, Serving
from ftrun.plugins import plugins
from ftrun.recipe.types import Recipe
from ftrun.store import runs
from ftrun.store.layout import RunFolder, Store, default_store
from ftrun_plugins.serving.choice import choose

PORT = 8000


@click.command()
@click.option("--port", default=PORT, show_default=True, help="On this machine.")
@click.option("--list", "listing", is_flag=True, help="List the servers of runs elsewhere.")
@click.option("--stop", is_flag=True, help="Stop the run's server elsewhere.")
@click.argument("run", default="last")
def serve(run: str, port: int, listing: bool, stop: bool) -> int:
    """Serves the models of a run behind OpenAI's API.

    A run of this machine is served here, for as long as the command runs; one on Modal is served there.
    """
    if listing:
        return _list()
    store = default_store()
    folder = find_run(store, run)
    remote = remote_of(store, folder)
    if stop:
        return _stop(folder.id, remote)
    if runs.load(folder).status in runs.OPEN:
        raise Refused(Problem(f"the run {folder.id} is not over yet", do=f"ftrun logs -f {folder.id}"))
    recipe = _with_environments_of_now(read_recipe(folder))
    backend = make_backend(recipe, plugins(), store)
    if remote is None:
        _here(store, folder, recipe, backend, port)
        return 0
    serving = choose(folder.id, recipe, read_plan(folder), remote.read)
    assert backend.remote is not None
    endpoint = backend.remote.serve(serving, recipe, lambda text: print(f"  {text}", file=sys.stderr))
    tell(serving, endpoint)
    if not endpoint.key and not recipe.serve.public:
        print(f"key      was shown when it was deployed; for another: ftrun serve --stop {folder.id}, and serve again")
    return 0


def _here(store: Store, folder: RunFolder, recipe: Recipe, backend: Backend, port: int) -> None:
    from ftrun_plugins.serving.here import Here

    def read(ref: Ref, name: str) -> bytes | None:
        path = store.artifact(ref) / name
        return path.read_bytes() if path.exists() else None

    serving = choose(folder.id, recipe, read_plan(folder), read)
    Here(store, folder, recipe, backend, port).run(serving, lambda endpoint: tell(serving, endpoint))


def _list() -> int:
    for endpoint in (endpoint for remote in remotes() for endpoint in remote.servers()):
        print(f"{endpoint.run:<34} {endpoint.url}/v1")
    return 0


def _stop(run: str, remote: Remote | None) -> int:
    if remote is None:
        raise Refused(Problem(f"{run} is a run of this machine: Ctrl-C stops its server"))
    remote.stop_server(run)
    print(f"the server of {run} was stopped")
    return 0


def _with_environments_of_now(recipe: Recipe) -> Recipe:
    """Runs know the environments that they were made with; those that serve may have come later."""
    return recipe.model_copy(update={"environment": {**declared_environments(), **recipe.environment}})


def tell(serving: Serving, endpoint: Endpoint) -> None:
    """Where the server is, and a request that works as it stands."""
    if serving.note:
        print(f"  {serving.note}", file=sys.stderr)
    print(f"url      {endpoint.url}/v1")
    print(f"models   {', '.join(serving.names)}")
    if endpoint.key:
        print(f"key      {endpoint.key}")
    print(f"try      {curl(endpoint, serving.names[-1])}", flush=True)


def curl(endpoint: Endpoint, model: str) -> str:
    """A request for a chat completion."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 32})
    header = f" -H 'Authorization: Bearer {endpoint.key or '$FTRUN_API_KEY'}'"
    return f"curl {endpoint.url}/v1/chat/completions{header} -H 'Content-Type: application/json' -d '{body}'"
