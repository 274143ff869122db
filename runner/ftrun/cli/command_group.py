"""Click group of all verbs. A verb's module is imported only if the verb is used."""

from __future__ import annotations

import click

from ftrun import __version__
from ftrun.api.commands import LazyCommand
from ftrun.api.errors import InvalidInput, Problem
from ftrun.cli.commands import builtin_commands
from ftrun.plugins.entry_points import enabled
from ftrun.utils.suggest import nearest

EPILOG = """
\b
Without a verb, ftrun composes a recipe from overrides and runs it:
  ftrun recipe=quickstart
  ftrun recipe=quickstart train.learning_rate=5e-4 optimizations.lora.lora_r=32
  ftrun -m recipe=quickstart train.learning_rate=1e-3,2e-3     a sweep
  ftrun recipe=quickstart --cfg job                            the composed recipe
RUN is a run id, a unique prefix of a run id, or `last`.
Exit codes: 0 done, 1 a stage failed, 2 the recipe or data is wrong, 3 a gate was not met, 130 interrupted.
"""


class LazyGroup(click.Group):
    """Group that lists verbs without importing them. Verbs of plugins come after those of ftrun."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*builtin_commands(), *sorted(_load_plugin_verbs())]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in builtin_commands():
            return builtin_commands()[name].load()
        command = _load_plugin_verbs().get(name)
        return command.load() if isinstance(command, LazyCommand) else command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None:
            suggestions = nearest(name, self.list_commands(ctx))
            raise InvalidInput(
                Problem(
                    "unknown-command",
                    f"there is no verb `{name}`",
                    did_you_mean=suggestions,
                    hint="`ftrun --help` lists the verbs; an override contains `=`",
                )
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, command.help) for name, command in builtin_commands().items()])
        others = {name: command.get_short_help_str(80) for name, command in _load_plugin_verbs().items()}
        if others:
            with formatter.section("Verbs of plugins"):
                formatter.write_dl(sorted(others.items()))


def _load_plugin_verbs() -> dict[str, click.Command | LazyCommand]:
    """Return the verbs that other packages add. Loads plugins only if such a package is installed."""
    if not enabled():
        return {}
    from ftrun.plugins.manager import plugins

    return {name: command for name, (command, _) in plugins().commands(builtin_commands()).items()}


@click.group(
    cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="ftrun")
def cli() -> None:
    """Fine-tune, evaluate and serve a language model from one YAML recipe."""
