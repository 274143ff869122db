"""The command `ftrun schema`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from ftrun.api.output_file import write_output
from ftrun.plugins.manager import plugins
from ftrun.utils.path_option import PathOption
from ftrun_plugins.schema.key import find
from ftrun_plugins.schema.recipe import recipe_schema


@click.command()
@click.option("--key", metavar="KEY", help="Explain one key, such as train.learning_rate.")
@click.option("--output", type=PathOption(dir_okay=False), help="Write the schema to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print the explanation of a key as JSON.")
def schema(key: str | None, output: Path | None, as_json: bool) -> int:
    """Print a JSON Schema with which editors complete and check recipe files."""
    document = recipe_schema(plugins())
    if key is not None:
        documentation = find(key, document)
        print(json.dumps(asdict(documentation)) if as_json else "\n".join(documentation.lines()))
        return 0
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    if output is None:
        print(text, end="")
    else:
        if not write_output(output, text):
            print(output)
    return 0
