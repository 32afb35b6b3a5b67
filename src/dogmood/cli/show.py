"""A reading as text for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from dogmood.errors import printable

if TYPE_CHECKING:
    from dogmood.reading import DogReading, Reading

_BAR = 24


def show(reading: Reading, colour: bool) -> str:
    """Return a readable photo's reading as a few lines."""
    what = "no dog" if reading.status == "no_dog" else _count(len(reading.dogs))
    title = f"{printable(reading.source)}  {reading.width} x {reading.height}  {what}"
    lines = [typer.style(title, bold=True) if colour else title]
    for dog in reading.dogs:
        lines += _dog(dog, colour)
    return "\n".join(lines)


def _count(dogs: int) -> str:
    return "1 dog" if dogs == 1 else f"{dogs} dogs"


def _dog(dog: DogReading, colour: bool) -> list[str]:
    from dogmood.emotions import COLOURS
    from dogmood.regions import in_words

    sure = "sure" if dog.sure else "not sure"
    box = ", ".join(f"{edge:.0f}" for edge in dog.box)
    head = f"{dog.emotion}: {dog.probability:.2%}"
    lines = [f"  dog {dog.dog}  {typer.style(head, bold=True) if colour else head}  ({sure})  box {box}"]
    for emotion, probability in dog.sorted_probabilities():
        bar = "█" * round(probability * _BAR)
        if colour:
            bar = typer.style(bar, fg=_rgb(COLOURS[emotion]))
        looked = in_words((dog.looked_at or {}).get(emotion, {}))
        # Styled text is longer than it looks: the bar is filled up before it is styled.
        room = " " * (_BAR - round(probability * _BAR)) if looked else ""
        lines.append(f"    {emotion:<10} {probability:>7.2%}  {bar}{room}  {looked}".rstrip())
    lines.append(f"    possible at 90 %: {', '.join(dog.possible)}")
    return lines


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
