"""The five words: their names, order, colours, and what other data sets call them."""

from __future__ import annotations

from collections.abc import Iterable

from dogmood.errors import UsageError

EMOTIONS: tuple[str, ...] = ("anger", "fear", "happiness", "sadness", "relaxed")
"""The order of every probability vector and of every label index."""

COLOURS: dict[str, str] = {
    "anger": "#D55E00",
    "fear": "#CC79A7",
    "happiness": "#E69F00",
    "sadness": "#0072B2",
    "relaxed": "#009E73",
}
"""Hex RGB from the palette of Okabe and Ito (2008), told apart by colour-blind eyes."""

ALIASES: dict[str, str] = {
    alias: emotion
    for emotion, aliases in {
        "anger": "anger angry aggression aggressive threat mad",
        "fear": "fear fearful scared afraid anxious anxiety frightened",
        "happiness": "happiness happy joy joyful playful contentment",
        "sadness": "sadness sad depressed unhappy",
        "relaxed": "relaxed relax calm neutral resting",
    }.items()
    for alias in aliases.split()
}
"""What other data sets call the five."""


def emotion_of(word: str) -> str:
    """Return the emotion that a word means.

    Args:
        word: a name or alias in any case, spaces around it ignored.

    Raises:
        UsageError: the word means none of the five.
    """
    try:
        return ALIASES[word.strip().lower()]
    except KeyError:
        raise UsageError(f"{word.strip()!r} is no emotion known here; choose from {', '.join(EMOTIONS)}.") from None


def parse_emotions(words: str | Iterable[str]) -> tuple[str, ...]:
    """Return the chosen emotions in the order of `EMOTIONS`.

    Args:
        words: names or aliases, as a list or separated by commas.

    Raises:
        UsageError: a word is unknown, or fewer than two emotions remain.
    """
    if isinstance(words, str):
        words = words.split(",")
    chosen = {emotion_of(word) for word in words if word.strip()}
    if len(chosen) < 2:
        raise UsageError(f"Choose at least two emotions from {', '.join(EMOTIONS)}.")
    return tuple(emotion for emotion in EMOTIONS if emotion in chosen)
