"""The commands that come with ftrun: those of the core and those of its plugins."""

from __future__ import annotations

import importlib
from functools import cache

from ftrun.api.commands import LazyCommand
from ftrun.plugins.builtin import BUILTIN_PLUGINS

CORE_COMMANDS = (
    LazyCommand("run", "ftrun.cli.run:run", "Run a recipe; the verb can be omitted."),
    LazyCommand("plan", "ftrun.cli.plan:plan", "Show what would run and why, without running it."),
    LazyCommand("validate", "ftrun.cli.validate:validate", "Check a recipe strictly, in less than a second."),
    LazyCommand("recipes", "ftrun.cli.recipes:recipes", "List, show or copy recipes."),
    LazyCommand("runs", "ftrun.cli.runs:runs", "List the runs, newest last."),
    LazyCommand("show", "ftrun.cli.show:show", "Show the stages, results and files of a run."),
    LazyCommand("logs", "ftrun.cli.logs:logs", "Print the logs of a run, or follow the run with -f."),
    LazyCommand("cancel", "ftrun.cli.cancel:cancel", "Stop a run after it has saved a checkpoint."),
    LazyCommand("rerun", "ftrun.cli.rerun:rerun", "Repeat a run with its own recipe and optional overrides."),
    LazyCommand("resume", "ftrun.cli.resume:resume", "Continue a run that was stopped, killed or failed."),
    LazyCommand("report", "ftrun.cli.report:report", "Write the report of a run as one HTML file."),
    LazyCommand("files", "ftrun.cli.files:files", "List the files that a run produced."),
    LazyCommand("pull", "ftrun.cli.pull:pull", "Copy an artifact of a run into a local folder."),
    LazyCommand("verify", "ftrun.cli.verify:verify", "Compare artifacts with their manifests."),
    LazyCommand("rm", "ftrun.cli.rm:rm", "Remove runs and artifacts; lists dependents and asks first."),
    LazyCommand("doctor", "ftrun.cli.doctor:doctor", "Check Python, disks, the hub, GPUs, environments and accounts."),
    LazyCommand("envs", "ftrun.cli.envs:envs", "List the environments, or build them before a run."),
    LazyCommand("plugins", "ftrun.cli.plugins:plugins_verb", "List what each plugin registers, or create a plugin."),
)


@cache
def builtin_commands() -> dict[str, LazyCommand]:
    """Return the commands by name. Imports no more of the plugins than the modules with their hooks."""
    commands = list(CORE_COMMANDS)
    for module in map(importlib.import_module, BUILTIN_PLUGINS):
        if hasattr(module, "ftrun_register_commands"):
            module.ftrun_register_commands(commands.append)
    return {command.name: command for command in commands}
