"""Option `--trust` of the commands that run what a recipe names."""

from __future__ import annotations

import click

trust_option = click.option(
    "--trust", is_flag=True, help="Consent to the code and the hosts that the recipe names. ftrun remembers it."
)
