"""What the word that is being typed may become, with what each means. Light: nothing here imports a plugin."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ftrun.api.config_dirs import ConfigFolders, options_of
from ftrun.utils.default_store import default_root

Found = dict[str, str]  # what may be typed -> what it means, or nothing

ANY = "*"
FILES = "::files"
LIST_GROUPS = ("optimizations", "evals", "environment")  # of which several options are chosen
HYDRAS = ("--cfg", "--info", "--multirun", "--shell-completion", "--help", "--version")
RUNS = ("run", "runs", "first", "other")  # arguments of verbs, also of plugins', that name runs
MOST_RUNS = 200


def candidates(words: Sequence[str], current: str, index: dict[str, Any]) -> Found:
    """What `current` may become.

    Args:
        words: Those before it, without `ftrun`.
        current: The word that is being typed, as far as it has come.
        index: What is known of verbs and keys.
    """
    verb, rest, path = _verb(words, index)
    if verb is None:
        return _start(words, current, index)
    if verb["verbs"] and not rest:
        return _matching(current, {name: inner["about"] for name, inner in verb["verbs"].items()})
    taking = _option_taking(rest, verb)
    if taking is not None:
        return _matching(current, _of_kind(taking["values"], current))
    if current.startswith("-"):
        return _options(current, verb)
    typed = _positional(rest, verb)
    argument = _argument(verb, len(typed))
    return _arguments(argument, path, typed, current, index) if argument else {}


def _verb(words: Sequence[str], index: dict[str, Any]) -> tuple[Any, list[str], str]:
    """The verb of a line, with the words behind it; None where the line has none, for it then begins with overrides."""
    node, path = {"verbs": index["verbs"]}, ""
    rest = list(words)
    while rest and rest[0] in node["verbs"]:
        node, path = node["verbs"][rest[0]], f"{path} {rest[0]}".strip()
        rest = rest[1:]
    return (node if path else None), rest, path


def _start(words: Sequence[str], current: str, index: dict[str, Any]) -> Found:
    """Overrides without a verb, or the first word of all."""
    run = index["verbs"]["run"]
    if current.startswith("-"):
        return _matching(current, {**_options(current, run), **dict.fromkeys(HYDRAS, "")})
    found = _overrides(current, index) if current or words else {"recipe=": ""}
    return found if words else {**_matching(current, {n: v["about"] for n, v in index["verbs"].items()}), **found}


def _options(current: str, verb: dict[str, Any]) -> Found:
    found = {name: one["about"] for name, one in verb["options"].items() if name.startswith("--")}
    return _matching(current, {**found, "--help": "Show what it takes."})


def _option_taking(rest: Sequence[str], verb: dict[str, Any]) -> Any:
    """The option before the current word, where that is its value."""
    option = verb["options"].get(rest[-1]) if rest else None
    return option if option and option["values"] is not None else None


def _positional(rest: Sequence[str], verb: dict[str, Any]) -> list[str]:
    found, skip = [], False
    for word in rest:
        option = verb["options"].get(word)
        if not skip and not word.startswith("-"):
            found.append(word)
        skip = not skip and option is not None and option["values"] is not None
    return found


def _argument(verb: dict[str, Any], position: int) -> Any:
    """The argument that the word at a position is for."""
    arguments = verb["arguments"]
    if position < len(arguments):
        return arguments[position]
    return arguments[-1] if arguments and arguments[-1]["many"] else None


def _arguments(argument: Any, path: str, typed: Sequence[str], current: str, index: dict[str, Any]) -> Found:
    name = argument["name"]
    ways: dict[str, Callable[[], Found]] = {
        "overrides": lambda: _overrides(current, index),
        "call": lambda: _calls(typed[0]),
        "rm names": lambda: {**_runs(), **(_artifacts() if current else {})},
        "recipes show name": lambda: dict.fromkeys(_recipes(index), ""),
        "recipes copy name": lambda: dict.fromkeys(_recipes(index), ""),
        "envs make names": lambda: dict.fromkeys(_options_of("environment", index), ""),
        "envs path name": lambda: dict.fromkeys(_options_of("environment", index), ""),
        **dict.fromkeys(RUNS, _runs),
    }
    way = ways.get(f"{path} {name}") or ways.get(name) or (lambda: _of_kind(argument["values"], current))
    return {text: about for text, about in _matching(current, way()).items() if text not in typed}


def _of_kind(values: Any, current: str) -> Found:
    return dict.fromkeys(_files(current) if values == FILES else values or (), "")


def _matching(current: str, found: Found) -> Found:
    return {text: about for text, about in found.items() if text.startswith(current)}


# --- overrides


def _overrides(current: str, index: dict[str, Any]) -> Found:
    marks = current[: len(current) - len(current.lstrip("+~"))]
    plain = current[len(marks) :]
    key, equals, value = plain.partition("=")
    found = _override_values(key, value, index) if equals else _override_keys(key, index)
    return {f"{marks}{text}": "" for text in found if text.startswith(plain)}


def _override_keys(typed: str, index: dict[str, Any]) -> Iterator[str]:
    """One level of keys at a time: what holds more ends with a dot, what holds a value with `=`."""
    above, _, _ = typed.rpartition(".")
    below = _below(index["keys"], above.split(".") if above else [])
    if not above:
        yield from (f"{group}=" for group in ("recipe", *index["groups"]))
    for name, inner in below.items() if isinstance(below, dict) else ():
        if name != ANY:
            yield f"{above}.{name}{_end(inner)}".lstrip(".")


def _end(inner: Any) -> str:
    return "." if isinstance(inner, dict) else "="


def _below(tree: Any, path: Iterable[str]) -> Any:
    for name in path:
        tree = tree.get(name, tree.get(ANY)) if isinstance(tree, dict) else None
    return tree


def _override_values(key: str, value: str, index: dict[str, Any]) -> Iterator[str]:
    if key == "recipe":
        files = (file for file in _files(value) if file.endswith(("/", ".yaml", ".yml")))
        yield from (f"recipe={name}" for name in (*_recipes(index), *files))
        return
    known = _below(index["keys"], key.split("."))
    if key in index["groups"] or (isinstance(known, list) and value.startswith("[")):
        names = _options_of(key, index) if key in index["groups"] else known
        yield from (f"{key}={text}" for text in _chosen(value, names, key in LIST_GROUPS))
    elif known == FILES:
        yield from (f"{key}={file}" for file in _files(value))
    elif isinstance(known, list):
        yield from (f"{key}={one}" for one in known)


def _chosen(value: str, names: Sequence[str], several: bool) -> Iterator[str]:
    """An option of a group; in a list, those that are not in it yet, with its end or what leads on."""
    if not value.startswith("["):
        yield from names
        if several and not value:
            yield "["
        return
    head = value[: max(value.rfind(","), 0) + 1]
    before = head.strip("[,").split(",")
    yield from (f"{head}{name}{end}" for name in names if name not in before for end in "],")


def _options_of(group: str, index: dict[str, Any]) -> list[str]:
    return sorted(name for folder in _folders(index) for name in options_of(folder, group))


def _recipes(index: dict[str, Any]) -> list[str]:
    return _options_of("recipe", index)


def _folders(index: dict[str, Any]) -> Iterator[ConfigFolders]:
    for folder in index["folders"]:
        conf, recipes = (Path(folder[kind]) if folder[kind] else None for kind in ("conf", "recipes"))
        yield ConfigFolders(conf=conf, recipes=recipes)


# --- the store and the disk


def _runs() -> Found:
    """Ids, the newest first."""
    folders = [path.parent for path in default_root().glob("runs/*/run.json")]
    newest = sorted(folders, key=lambda folder: folder.stat().st_ctime, reverse=True)[:MOST_RUNS]
    return {**({"last": "the newest run"} if newest else {}), **{folder.name: "" for folder in newest}}


def _calls(run: str) -> Found:
    """Labels of the calls of a run."""
    names = [name for name in _runs() if name.startswith(run)]
    name = next((one for one in _runs() if one != "last"), "") if run == "last" else (names or [""])[0]
    plan = json.loads((default_root() / "runs" / name / "plan.json").read_bytes())
    return {call["label"]: "" for call in plan["calls"]}


def _artifacts() -> Found:
    return {f"{path.parent.name}/{path.name}": "" for path in sorted(default_root().glob("artifacts/*/*"))}


def _files(typed: str) -> Iterator[str]:
    """Files and folders that begin with a path, as it was typed; hidden ones where a dot was typed."""
    head, _, last = typed.rpartition("/")
    folder = Path(head or ("/" if typed.startswith("/") else ".")).expanduser()
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith(last) and (last.startswith(".") or not path.name.startswith(".")):
            yield f"{typed[: len(typed) - len(last)]}{path.name}{'/' if path.is_dir() else ''}"
