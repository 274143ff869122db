"""The command `ftrun`: a verb, or overrides that make a recipe, which is then run.

Start-up has to be instant, so a verb's module is imported only when it is asked for.
"""

from __future__ import annotations

import importlib
import os
import sys
from importlib.metadata import entry_points
from typing import Any

import click

from ftrun import __version__
from ftrun.errors import FtrunError, Problem, Refused, StoreFailed
from ftrun.suggest import nearest

# Verb -> where it is, and its line in the help.
VERBS = {
    "run": ("ftrun.cli.run:run", "Run a recipe; the verb may be left out."),
    "plan": ("ftrun.cli.plan:plan", "Show what would run and why, and run nothing."),
    "validate": ("ftrun.cli.validate:validate", "Check a recipe strictly, in under a second."),
    "recipes": ("ftrun.cli.recipes:recipes", "List the recipes, or show one."),
    "runs": ("ftrun.cli.runs:runs", "List the runs, the newest last."),
    "show": ("ftrun.cli.show:show", "Show a run: its stages, results and files."),
    "logs": ("ftrun.cli.logs:logs", "Print the logs of a run, with -f as they come."),
    "cancel": ("ftrun.cli.cancel:cancel", "Stop a run cleanly, with a checkpoint."),
    "resume": ("ftrun.cli.resume:resume", "Go on with a run that was stopped, killed or failed."),
    "report": ("ftrun.cli.report:report", "Write a run's report: one HTML file."),
    "files": ("ftrun.cli.files:files", "List the files that a run made."),
    "pull": ("ftrun.cli.pull:pull", "Copy what a run made into a folder here."),
    "envs": ("ftrun.cli.envs:envs", "List the environments, or make them ahead."),
}
# The same of ftrun's own plugins; those of other packages come by their hook.
VERBS |= {
    "deploy": ("ftrun_plugins.modal.commands:deploy", "Deploy to Modal ahead of a run; --prune stops old apps."),
    "compare": ("ftrun_plugins.comparing.commands:compare", "Put runs side by side."),
    "preview": ("ftrun_plugins.preview.commands:preview", "Show rows as the model will see them."),
    "schema": ("ftrun_plugins.schema.commands:schema", "Print a JSON Schema of recipes, or what a key means."),
    "serve": ("ftrun_plugins.serving.commands:serve", "Serve a run's models behind OpenAI's API."),
    "chat": ("ftrun_plugins.serving.commands:chat", "Talk to a run's models in the terminal."),
    "doctor": ("ftrun_plugins.modal.commands:doctor", "Check what runs on Modal need: token, Volume, secrets."),
}
# Words that Hydra knows keep Hydra's meaning.
HYDRA_FLAGS = (
    "--cfg",
    "-c",
    "--info",
    "-i",
    "--shell-completion",
    "-sc",
    "--hydra-help",
    "--package",
    "-p",
    "--resolve",
)
SWEEP_FLAGS = ("-m", "--multirun")

EPILOG = """
\b
Without a verb, overrides make a recipe and run it:
  ftrun recipe=quickstart
  ftrun recipe=quickstart train.learning_rate=5e-4 optimizations.lora.lora_r=32
  ftrun -m recipe=quickstart train.learning_rate=1e-3,2e-3     a sweep
  ftrun recipe=quickstart --cfg job                            the composed recipe
RUN is a run id, a unique prefix of one, or `last`.
Exit codes: 0 done, 1 a stage failed, 2 the recipe or data is wrong, 3 a gate was not met, 130 interrupted.
"""


class LazyGroup(click.Group):
    """Lists the verbs without importing them; verbs of plugins come behind ftrun's own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*VERBS, *sorted(_plugin_verbs())]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in VERBS:
            module, _, attribute = VERBS[name][0].partition(":")
            command: click.Command = getattr(importlib.import_module(module), attribute)
            return command
        return _plugin_verbs().get(name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None:
            near = nearest(name, self.list_commands(ctx))
            raise Refused(
                Problem(
                    f"there is no verb `{name}`",
                    nearest=near,
                    do="`ftrun --help` lists the verbs; an override has a `=`",
                )
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, text) for name, (_, text) in VERBS.items()])
        others = {name: command.get_short_help_str(80) for name, command in _plugin_verbs().items()}
        if others:
            with formatter.section("Verbs of plugins"):
                formatter.write_dl(sorted(others.items()))


def _plugin_verbs() -> dict[str, click.Command]:
    """Verbs that other packages add; plugins are loaded only where there is such a package."""
    if not entry_points(group="ftrun"):
        return {}
    from ftrun.plugins import plugins

    found: dict[str, click.Command] = {}
    plugins().hook.ftrun_register_commands(register=lambda command: found.update({str(command.name): command}))
    return found


@click.group(
    cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="ftrun")
def cli() -> None:
    """One YAML recipe, from a dataset to an evaluated, servable fine-tuned language model."""


def main(arguments: list[str] | None = None) -> None:
    """The console script. Ends the process with the exit code of the command."""
    sys.exit(run_command(sys.argv[1:] if arguments is None else arguments))


def run_command(arguments: list[str]) -> int:
    """Runs one command line and returns its exit code."""
    try:
        return _dispatch(arguments)
    except click.ClickException as error:
        return _report(_usage_problem(error), arguments)
    except click.exceptions.Abort:
        return 130
    except FtrunError as error:
        return _report(error, arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # whoever read our output has gone; nothing more may be written, not even while the interpreter ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # a fault of ftrun's own: one line for the user, all of it for whoever mends it
        if os.environ.get("FTRUN_DEBUG"):
            raise
        if (problem := _disk_problem(error)) is not None:
            return _report(problem, arguments)
        click.echo(f"ftrun: internal error: {type(error).__name__}: {error}", err=True)
        click.echo("    do        run it again with FTRUN_DEBUG=1 and report what it prints", err=True)
        return 1


def _disk_problem(error: Exception) -> FtrunError | None:
    """What stands for a disk that is full or may not be written, wherever ftrun came upon it."""
    from ftrun.store.files import disk_problem
    from ftrun.store.layout import default_store

    problem = disk_problem(error, default_store().root)
    return StoreFailed(problem) if problem else None


def _report(error: FtrunError, arguments: list[str]) -> int:
    from ftrun.cli.messages import report

    return report(error, "--json" in arguments)


def _usage_problem(error: click.ClickException) -> Refused:
    context = getattr(error, "ctx", None)
    verb = f" {context.info_name}" if context and context.info_name != "ftrun" else ""
    text = error.format_message().rstrip(".")
    return Refused(Problem(text[:1].lower() + text[1:], do=f"`ftrun{verb} --help` shows what it takes"))


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "--version") or _is_verb(arguments[0]):
        return _click(cli, arguments or ["--help"])
    if any(flag.partition("=")[0] in HYDRA_FLAGS for flag in arguments):
        from ftrun.cli.hydra_flags import show

        return show(arguments)
    return _click(cli, ["run", *arguments])


def _is_verb(word: str) -> bool:
    return "=" not in word and not word.startswith(("-", "+", "~"))


def _click(command: click.Command, arguments: list[str]) -> int:
    """Without click's own `main`, which ends the process with 1 when whoever reads the output has gone."""
    try:
        with command.make_context("ftrun", arguments) as context:
            result: Any = command.invoke(context)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    if sys.stdout:
        sys.stdout.flush()  # here, where a broken pipe can still be answered
    return result if isinstance(result, int) else 0
