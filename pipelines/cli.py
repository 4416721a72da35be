"""The command line `chronotope`. Commands live in `cli_*.py` by what a user is doing; each imports what it needs when run."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import __version__
from . import (
    cli_audit,
    cli_benchmarks,
    cli_build,
    cli_data,
    cli_evaluate,
    cli_profiles,
    cli_report,
    cli_rollout,
    cli_setup,
)

app = typer.Typer(
    name="chronotope",
    help="Footage in, verified spatio-temporal instruction data out.",
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
for module in (
    cli_setup,
    cli_build,
    cli_data,
    cli_evaluate,
    cli_benchmarks,
    cli_profiles,
    cli_report,
    cli_audit,
    cli_rollout,
):
    module.register(app)


@app.callback()
def _main(
    version: Annotated[bool, typer.Option("--version", help="print the version", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(f"chronotope {__version__}")
        raise typer.Exit


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
