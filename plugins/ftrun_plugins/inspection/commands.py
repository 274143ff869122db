"""The command `ftrun data`."""

from __future__ import annotations

import json
from typing import Any

import click

from ftrun.cli.trust_option import trust_option


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--tokens", is_flag=True, help="Tokenize the rows if no run has done so.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@trust_option
@click.argument("overrides", nargs=-1)
def data(overrides: tuple[str, ...], tokens: bool, as_json: bool, trust: bool) -> int:
    """Show what is in the dataset of a recipe: counts, repeated rows, overlap, lengths, tokens, sensitive values."""
    from ftrun_plugins.inspection.build import build_summary

    summary: dict[str, Any] = build_summary(overrides, tokens, trust)
    if as_json:
        print(json.dumps(summary, ensure_ascii=False))
    else:
        from ftrun_plugins.inspection.terminal import summary_lines

        print("\n".join(summary_lines(summary)))
    return 0
