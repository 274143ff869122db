"""The command `ftrun`: a verb, or overrides that make a recipe, which is then run.

Start-up has to be instant, so a verb's module is imported only when it is asked for, and shell completion, which is
asked at every key, does without click.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from ftrun.api.errors import FtrunError, InvalidInput, Problem, StoreError

if TYPE_CHECKING:
    import click

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
    "rerun": ("ftrun.cli.rerun:rerun", "Do again what a run did, with overrides on top."),
    "resume": ("ftrun.cli.resume:resume", "Go on with a run that was stopped, killed or failed."),
    "report": ("ftrun.cli.report:report", "Write a run's report: one HTML file."),
    "files": ("ftrun.cli.files:files", "List the files that a run made."),
    "pull": ("ftrun.cli.pull:pull", "Copy what a run made into a folder here."),
    "rm": ("ftrun.cli.rm:rm", "Remove runs and artifacts, once it is said what depends on them."),
    "doctor": ("ftrun.cli.doctor:doctor", "Look at Python, disks, the hub, GPUs, environments, accounts."),
    "envs": ("ftrun.cli.envs:envs", "List the environments, or make them ahead."),
    "plugins": ("ftrun.cli.plugins:plugins_verb", "List what is registered by whom, or begin a plugin."),
}
# The same of ftrun's own plugins; those of other packages come by their hook.
VERBS |= {
    "deploy": ("ftrun_plugins.modal.commands:deploy", "Deploy to Modal ahead of a run; --prune stops old apps."),
    "rehearse": ("ftrun_plugins.rehearsal.commands:rehearse", "Try a recipe's wiring on this CPU with a tiny model."),
    "compare": ("ftrun_plugins.compare.commands:compare", "Put runs side by side."),
    "preview": ("ftrun_plugins.preview.commands:preview", "Show rows as the model will see them."),
    "schema": ("ftrun_plugins.schema.commands:schema", "Print a JSON Schema of recipes, or what a key means."),
    "diff": ("ftrun_plugins.compare.commands:diff", "Show what two runs differ in."),
    "serve": ("ftrun_plugins.serving.commands:serve", "Serve a run's models behind OpenAI's API."),
    "chat": ("ftrun_plugins.serving.commands:chat", "Talk to a run's models in the terminal."),
}
# Words that Hydra knows keep Hydra's meaning.
HYDRA_FLAGS = (
    "--cfg",
    "-c",
    "--info",
    "-i",
    "--hydra-help",
    "--package",
    "-p",
    "--resolve",
)
COMPLETION_FLAGS = ("--shell-completion", "-sc")
SWEEP_FLAGS = ("-m", "--multirun")


def main(arguments: list[str] | None = None) -> None:
    """The console script. Ends the process with the exit code of the command."""
    sys.exit(run_command(sys.argv[1:] if arguments is None else arguments))


def run_command(arguments: list[str]) -> int:
    """Runs one command line and returns its exit code."""
    if any(flag in COMPLETION_FLAGS for flag in arguments):
        from ftrun.cli.completion.server import answer

        try:
            return answer(arguments)
        except FtrunError as error:
            return _report(error, arguments)
    import click

    from ftrun.cli.log_output import log_to_stderr

    log_to_stderr()
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
        if (problem := _plugin_problem(error)) is not None:
            return _report(problem, arguments)
        click.echo(f"ftrun: internal error: {type(error).__name__}: {error}", err=True)
        click.echo("    hint          run it again with FTRUN_DEBUG=1 and report what it prints", err=True)
        return 1


def _disk_problem(error: Exception) -> FtrunError | None:
    """What stands for a disk that is full or may not be written, wherever ftrun came upon it."""
    from ftrun.api.disk_errors import disk_problem
    from ftrun.api.paths import default_store

    problem = disk_problem(error, default_store().root)
    return StoreError(problem) if problem else None


def _plugin_problem(error: Exception) -> FtrunError | None:
    """What stands for an error out of another package's plugin, which is named."""
    from ftrun.plugins.manager import plugins

    try:
        problem = plugins().culprit(error)
    except FtrunError:
        return None
    return FtrunError(problem) if problem else None


def _report(error: FtrunError, arguments: list[str]) -> int:
    from ftrun.cli.error_output import report

    return report(error, "--json" in arguments)


def _usage_problem(error: click.ClickException) -> InvalidInput:
    context = getattr(error, "ctx", None)
    verb = f" {context.info_name}" if context and context.info_name != "ftrun" else ""
    text = error.format_message().rstrip(".")
    return InvalidInput(Problem("usage", text[:1].lower() + text[1:], hint=f"`ftrun{verb} --help` shows what it takes"))


def _dispatch(arguments: list[str]) -> int:
    from ftrun.cli.command_group import cli

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
    import click

    try:
        with command.make_context("ftrun", arguments) as context:
            result: Any = command.invoke(context)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    if sys.stdout:
        sys.stdout.flush()  # here, where a broken pipe can still be answered
    return result if isinstance(result, int) else 0
