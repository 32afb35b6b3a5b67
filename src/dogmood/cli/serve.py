"""``dogmood serve``: the page and the API on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dogmood.cli.extras import needs
from dogmood.emotions import EMOTIONS


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on; other machines need --token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free port.")] = 8000,
    show: Annotated[
        bool | None, typer.Option("--open/--no-open", help="Open the page in a browser.", show_default="at a terminal")
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="DOGMOOD_TOKEN", help="A secret that requests must bring.", show_default=False)
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Store photos and readings in this folder.", show_default=False)
    ] = None,
    history: Annotated[
        str | None,
        typer.Option(
            envvar="DOGMOOD_HISTORY",
            help="Store readings, not photos, in a database (sqlite:///FILE, postgresql://USER@HOST/NAME) "
            "and list them on the page.",
            show_default=False,
        ),
    ] = None,
    emotions: Annotated[str, typer.Option(help="Choose from these alone; probabilities are renormalised.")] = ",".join(
        EMOTIONS
    ),
    model: Annotated[str, typer.Option(help="A shipped model's name, or a .dogmood file.")] = "base",
    ten_crop: Annotated[bool, typer.Option("--ten-crop", help="Average ten crops of each dog.")] = False,
    workers: Annotated[int, typer.Option(help="Photos read at once.")] = 2,
    queue: Annotated[int, typer.Option(help="Photos that may wait; more are told to come back.")] = 16,
    max_mb: Annotated[int, typer.Option(help="Largest photo, in megabytes.")] = 25,
    max_megapixels: Annotated[int, typer.Option(help="Largest photo, in millions of pixels.")] = 100,
    timeout: Annotated[float, typer.Option(help="Seconds to send a photo, and again to read it.")] = 30,
    cors_origin: Annotated[
        list[str] | None, typer.Option(help="Let pages of this origin use the API.", show_default=False)
    ] = None,
) -> None:
    """Open a page for photos and the webcam, and an API; nothing leaves this machine.

    Nothing is stored unless --keep or --history is given.
    """
    with needs("web"):
        from dogmood.web.server import serve as run
        from dogmood.web.settings import Settings

    settings = Settings(
        model=model, emotions=emotions, ten_crop=ten_crop, host=host, token=token, keep=keep, history=history,
        origins=tuple(cors_origin or ()), workers=workers, waiting=queue, timeout=timeout,
        max_bytes=max_mb * 1_000_000, max_pixels=max_megapixels * 1_000_000,
    )  # fmt: skip
    at_terminal = sys.stdout.isatty()
    try:
        run(settings, port, at_terminal if show is None else show, lambda line: print(line, flush=True))
    except KeyboardInterrupt:
        # The usual way to end a server.
        typer.echo("Stopped.", err=True)
