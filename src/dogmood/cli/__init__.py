"""The command line: one thin module a command."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

import typer

from dogmood import __version__
from dogmood.cli import data
from dogmood.cli.explain_test import explain_test
from dogmood.cli.export import export
from dogmood.cli.read import read
from dogmood.cli.report import report
from dogmood.cli.serve import serve
from dogmood.cli.stopping import INTERRUPTED, forget_output, open_closed_streams, terminable
from dogmood.cli.sweep import sweep
from dogmood.cli.test import measure
from dogmood.cli.train import train
from dogmood.errors import DogMoodError, printable

app = typer.Typer(
    help="Reads the emotion a dog visibly shows. Not a diagnosis; never a promise that a dog is safe.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(read)
app.command()(serve)
app.add_typer(data.app, name="data")
app.command()(train)
app.command()(sweep)
app.command("test")(measure)
app.command()(report)
app.command()(export)
app.command("explain-test")(explain_test)


@app.callback(invoke_without_command=True)
def _options(version: bool = typer.Option(False, "--version", help="Print the version and leave.")) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program; leave with 0 (done), 1 (nothing could be read) or 2 (wrong use)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        # A bar or a name that the terminal's encoding lacks becomes "?", not an error.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    with terminable():
        try:
            app(_with_explain_value(words), prog_name="dogmood")
        except DogMoodError as error:
            typer.echo(printable(str(error)), err=True)
            raise SystemExit(2) from None
        except KeyboardInterrupt:
            typer.echo("Stopped.", err=True)
            raise SystemExit(INTERRUPTED) from None
        except OSError as error:
            # A broken pipe (`| head`) never comes here: typer leaves quietly.
            what = "The output cannot be written" if error.filename is None else f"{error.filename} cannot be used"
            forget_output()
            typer.echo(f"{what}: {error.strerror or error}.", err=True)
            raise SystemExit(2) from None


def _with_explain_value(words: list[str]) -> list[str]:
    """Let ``--explain`` stand alone, or before ``all``: options take a value or none."""
    result = []
    for i, word in enumerate(words):
        if i and words[i - 1] == "--explain" and word == "all":
            continue
        if word == "--explain":
            word = "--explain=all" if words[i + 1 : i + 2] == ["all"] else "--explain=winner"
        result.append(word)
    return result
