"""The `ftrun` command: a verb, or overrides that are composed into a recipe and run.

Start-up has to be instant. A verb's module is therefore imported only if the verb is used, and shell completion, which
runs at every key press, does not import click.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from ftrun.api.errors import FtrunError, InvalidInput, Problem, StoreError
from ftrun.cli.console import check_arguments, escape_unencodable, explain_missing_folder, restart_in_utf8
from ftrun.utils.terminal import escaped_output

if TYPE_CHECKING:
    import click

# Hydra handles a command line that has one of these flags.
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


def main(arguments: list[str] | None = None) -> None:
    """Run the console script and exit with the exit code of the command."""
    if arguments is None:
        restart_in_utf8()
    sys.exit(run_command(sys.argv[1:] if arguments is None else arguments))


def run_command(arguments: list[str]) -> int:
    """Run one command line and return its exit code. Control characters in its output are escaped."""
    escape_unencodable()
    with escaped_output():
        return _run(arguments)


def _run(arguments: list[str]) -> int:
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
        check_arguments(arguments)
        return _dispatch(arguments)
    except click.ClickException as error:
        return _report(_explain_usage_error(error), arguments)
    except click.exceptions.Abort:
        return 130
    except FtrunError as error:
        return _report(error, arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # the reader of the output has gone, so nothing more may be written, not even at interpreter exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # a bug of ftrun: one line for the user, a traceback for its developers
        if os.environ.get("FTRUN_DEBUG"):
            raise
        if (folder := explain_missing_folder(error)) is not None:
            return _report(folder, arguments)
        if (problem := _explain_disk_error(error)) is not None:
            return _report(problem, arguments)
        if (problem := _explain_plugin_error(error)) is not None:
            return _report(problem, arguments)
        click.echo(f"ftrun: internal error: {type(error).__name__}: {error}", err=True)
        click.echo("    hint          run the command with FTRUN_DEBUG=1 and report its output", err=True)
        return 1


def _explain_disk_error(error: Exception) -> FtrunError | None:
    """Return an error for the user if `error` means that a disk or a path cannot be used, else None."""
    from ftrun.api.disk_errors import disk_problem, path_problem
    from ftrun.utils.default_store import default_root

    if (problem := disk_problem(error, default_root())) is not None:
        return StoreError(problem)
    return InvalidInput(problem) if (problem := path_problem(error)) is not None else None


def _explain_plugin_error(error: Exception) -> FtrunError | None:
    """Return an error that names the plugin if `error` came from another package's plugin, else None."""
    from ftrun.plugins.manager import plugins

    try:
        problem = plugins().blame_plugin(error)
    except FtrunError:
        return None
    return FtrunError(problem) if problem else None


def _report(error: FtrunError, arguments: list[str]) -> int:
    from ftrun.cli.error_output import report

    return report(error, "--json" in arguments)


def _explain_usage_error(error: click.ClickException) -> InvalidInput:
    context = getattr(error, "ctx", None)
    verb = f" {context.info_name}" if context and context.info_name != "ftrun" else ""
    text = error.format_message().rstrip(".")
    hint = f"`ftrun{verb} --help` lists arguments and options"
    return InvalidInput(Problem("usage", text[:1].lower() + text[1:], hint=hint))


def _dispatch(arguments: list[str]) -> int:
    from ftrun.cli.command_group import cli

    if not arguments or arguments[0] in ("-h", "--help", "--version") or _is_verb(arguments[0]):
        return _invoke(cli, arguments or ["--help"])
    if any(flag.partition("=")[0] in HYDRA_FLAGS for flag in arguments):
        from ftrun.cli.hydra_flags import show

        return show(arguments)
    return _invoke(cli, ["run", *arguments])


def _is_verb(word: str) -> bool:
    return "=" not in word and not word.startswith(("-", "+", "~"))


def _invoke(command: click.Command, arguments: list[str]) -> int:
    """Invoke a command without click's `main`, which exits with 1 if the reader of the output has gone."""
    import click

    try:
        with command.make_context("ftrun", arguments) as context:
            result: Any = command.invoke(context)
    except click.exceptions.Exit as error:
        return error.exit_code
    if sys.stdout:
        sys.stdout.flush()  # while a broken pipe can still be handled
    return result if isinstance(result, int) else 0
