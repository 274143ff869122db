"""Candidates for the word that is being typed, with descriptions. Imports no plugins, so that it is fast."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ftrun.api.config_dirs import ConfigFolders, options_of
from ftrun.utils.default_store import default_root

Candidates = dict[str, str]  # candidate -> description, which may be empty

ANY = "*"
FILES = "::files"
LIST_GROUPS = ("optimizations", "evals", "environment")  # groups of which a recipe can choose several options
HYDRA_OPTIONS = ("--cfg", "--info", "--multirun", "--shell-completion", "--help", "--version")
RUNS = ("run", "runs", "first", "other")  # names of arguments that are runs, also in verbs of plugins
MOST_RUNS = 200


def candidates(words: Sequence[str], current: str, index: dict[str, Any]) -> Candidates:
    """Return the candidates for the word that is being typed.

    Args:
        words: The words before it, without `ftrun`.
        current: The part of the word that has been typed.
        index: The completion index.
    """
    verb, rest, path = _find_verb(words, index)
    if verb is None:
        return _complete_start(words, current, index)
    if verb["verbs"] and not rest:
        return _filter(current, {name: inner["about"] for name, inner in verb["verbs"].items()})
    option = _find_open_option(rest, verb)
    if option is not None:
        return _filter(current, _complete_value(option["values"], current))
    if current.startswith("-"):
        return _complete_option(current, verb)
    typed = _list_arguments(rest, verb)
    argument = _find_argument(verb, len(typed))
    return _complete_argument(argument, path, typed, current, index) if argument else {}


def _find_verb(words: Sequence[str], index: dict[str, Any]) -> tuple[Any, list[str], str]:
    """Return the verb of a line, the words after it, and its path; the verb is None if the line has none."""
    node, path = {"verbs": index["verbs"]}, ""
    rest = list(words)
    while rest and rest[0] in node["verbs"]:
        node, path = node["verbs"][rest[0]], f"{path} {rest[0]}".strip()
        rest = rest[1:]
    return (node if path else None), rest, path


def _complete_start(words: Sequence[str], current: str, index: dict[str, Any]) -> Candidates:
    """Complete an override without a verb, or the first word."""
    run = index["verbs"]["run"]
    if current.startswith("-"):
        return _filter(current, {**_complete_option(current, run), **dict.fromkeys(HYDRA_OPTIONS, "")})
    overrides = _complete_override(current, index) if current or words else {"recipe=": ""}
    if words:
        return overrides
    return {**_filter(current, {name: verb["about"] for name, verb in index["verbs"].items()}), **overrides}


def _complete_option(current: str, verb: dict[str, Any]) -> Candidates:
    options = {name: option["about"] for name, option in verb["options"].items() if name.startswith("--")}
    return _filter(current, {**options, "--help": "Show the help and exit."})


def _find_open_option(rest: Sequence[str], verb: dict[str, Any]) -> Any:
    """Return the option before the current word if the current word is its value."""
    option = verb["options"].get(rest[-1]) if rest else None
    return option if option and option["values"] is not None else None


def _list_arguments(rest: Sequence[str], verb: dict[str, Any]) -> list[str]:
    arguments, skip = [], False
    for word in rest:
        option = verb["options"].get(word)
        if not skip and not word.startswith("-"):
            arguments.append(word)
        skip = not skip and option is not None and option["values"] is not None
    return arguments


def _find_argument(verb: dict[str, Any], position: int) -> Any:
    """Return the argument of a verb at a position."""
    arguments = verb["arguments"]
    if position < len(arguments):
        return arguments[position]
    return arguments[-1] if arguments and arguments[-1]["many"] else None


def _complete_argument(
    argument: Any, path: str, typed: Sequence[str], current: str, index: dict[str, Any]
) -> Candidates:
    name = argument["name"]
    completers: dict[str, Callable[[], Candidates]] = {
        "overrides": lambda: _complete_override(current, index),
        "call": lambda: _list_calls(typed[0]),
        "rm names": lambda: {**_list_runs(), **(_list_artifacts() if current else {})},
        "recipes show name": lambda: dict.fromkeys(_list_recipes(index), ""),
        "recipes copy name": lambda: dict.fromkeys(_list_recipes(index), ""),
        "envs make names": lambda: dict.fromkeys(_list_options("environment", index), ""),
        "envs path name": lambda: dict.fromkeys(_list_options("environment", index), ""),
        **dict.fromkeys(RUNS, _list_runs),
    }
    complete = completers.get(f"{path} {name}") or completers.get(name)
    complete = complete or (lambda: _complete_value(argument["values"], current))
    return {text: about for text, about in _filter(current, complete()).items() if text not in typed}


def _complete_value(values: Any, current: str) -> Candidates:
    return dict.fromkeys(_list_files(current) if values == FILES else values or (), "")


def _filter(current: str, known: Candidates) -> Candidates:
    return {text: about for text, about in known.items() if text.startswith(current)}


# --- overrides


def _complete_override(current: str, index: dict[str, Any]) -> Candidates:
    marks = current[: len(current) - len(current.lstrip("+~"))]
    plain = current[len(marks) :]
    key, equals, value = plain.partition("=")
    texts = _list_override_values(key, value, index) if equals else _list_override_keys(key, index)
    return {f"{marks}{text}": "" for text in texts if text.startswith(plain)}


def _list_override_keys(typed: str, index: dict[str, Any]) -> Iterator[str]:
    """Yield one level of keys. A key with more keys below it ends with a dot, a key with a value with `=`."""
    parent, _, _ = typed.rpartition(".")
    children = _descend(index["keys"], parent.split(".") if parent else [])
    if not parent:
        yield from (f"{group}=" for group in ("recipe", *index["groups"]))
    for name, inner in children.items() if isinstance(children, dict) else ():
        if name != ANY:
            yield f"{parent}.{name}{_get_suffix(inner)}".lstrip(".")


def _get_suffix(inner: Any) -> str:
    return "." if isinstance(inner, dict) else "="


def _descend(tree: Any, path: Iterable[str]) -> Any:
    for name in path:
        tree = tree.get(name, tree.get(ANY)) if isinstance(tree, dict) else None
    return tree


def _list_override_values(key: str, value: str, index: dict[str, Any]) -> Iterator[str]:
    if key == "recipe":
        files = (file for file in _list_files(value) if file.endswith(("/", ".yaml", ".yml")))
        yield from (f"recipe={name}" for name in (*_list_recipes(index), *files))
        return
    known = _descend(index["keys"], key.split("."))
    if key in index["groups"] or (isinstance(known, list) and value.startswith("[")):
        names = _list_options(key, index) if key in index["groups"] else known
        yield from (f"{key}={text}" for text in _list_choices(value, names, key in LIST_GROUPS))
    elif known == FILES:
        yield from (f"{key}={file}" for file in _list_files(value))
    elif isinstance(known, list):
        yield from (f"{key}={allowed}" for allowed in known)


def _list_choices(value: str, names: Sequence[str], several: bool) -> Iterator[str]:
    """Yield options of a group; in a list, only those that it does not have yet, each with `]` and with `,`."""
    if not value.startswith("["):
        yield from names
        if several and not value:
            yield "["
        return
    head = value[: max(value.rfind(","), 0) + 1]
    listed = head.strip("[,").split(",")
    yield from (f"{head}{name}{end}" for name in names if name not in listed for end in "],")


def _list_options(group: str, index: dict[str, Any]) -> list[str]:
    return sorted(name for folder in _list_folders(index) for name in options_of(folder, group))


def _list_recipes(index: dict[str, Any]) -> list[str]:
    return _list_options("recipe", index)


def _list_folders(index: dict[str, Any]) -> Iterator[ConfigFolders]:
    for folder in index["folders"]:
        conf, recipes = (Path(folder[kind]) if folder[kind] else None for kind in ("conf", "recipes"))
        yield ConfigFolders(conf=conf, recipes=recipes)


# --- the store and the disk


def _list_runs() -> Candidates:
    """Return `last` and the ids of runs, newest first."""
    folders = [path.parent for path in default_root().glob("runs/*/run.json")]
    newest = sorted(folders, key=lambda folder: folder.stat().st_ctime, reverse=True)[:MOST_RUNS]
    return {**({"last": "the newest run"} if newest else {}), **{folder.name: "" for folder in newest}}


def _list_calls(run: str) -> Candidates:
    """Return the labels of the calls of a run."""
    names = [name for name in _list_runs() if name.startswith(run)]
    name = next((run_id for run_id in _list_runs() if run_id != "last"), "") if run == "last" else (names or [""])[0]
    plan = json.loads((default_root() / "runs" / name / "plan.json").read_bytes())
    return {call["label"]: "" for call in plan["calls"]}


def _list_artifacts() -> Candidates:
    return {f"{path.parent.name}/{path.name}": "" for path in sorted(default_root().glob("artifacts/*/*"))}


def _list_files(typed: str) -> Iterator[str]:
    """Yield files and folders that begin with a path, written as it was typed. Yield hidden files only after a dot."""
    head, _, last = typed.rpartition("/")
    folder = Path(head or ("/" if typed.startswith("/") else ".")).expanduser()
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith(last) and (last.startswith(".") or not path.name.startswith(".")):
            yield f"{typed[: len(typed) - len(last)]}{path.name}{'/' if path.is_dir() else ''}"
