"""Search for variables of a recipe that a chat template does not read, and that therefore have no effect."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ftrun.utils.suggest import nearest

# Variables that every renderer sets.
ALWAYS_SET = frozenset(
    ("messages", "tools", "documents", "add_generation_prompt", "bos_token", "eos_token", "pad_token", "unk_token")
)
FUNCTIONS = frozenset(("raise_exception", "strftime_now", "namespace", "range", "dict", "lipsum", "cycler", "joiner"))


def find_variables(template: str) -> set[str]:
    """Return the names of the variables that a chat template reads and that a recipe can set."""
    from jinja2 import meta
    from transformers.utils.chat_template_utils import _compile_jinja_template

    environment = _compile_jinja_template(template).environment
    return meta.find_undeclared_variables(environment.parse(template)) - ALWAYS_SET - FUNCTIONS


def find_unread(template: str | None, names: Collection[str]) -> Iterator[str]:
    """Yield a message for each of these variables that the template does not read. None: the rows are no chats."""
    if names and template is None:
        yield "the variables of the chat template in `model.template` have no effect, because the rows are no chats"
    elif names and template is not None:
        known = find_variables(template)
        for name in sorted(set(names) - known):
            similar = nearest(name, known)
            hint = f"; did you mean `{similar[0]}`?" if similar else ""
            yield f"`model.template.{name}` has no effect, because the chat template does not read it{hint}"
