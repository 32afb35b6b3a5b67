from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.emotions import ALIASES, COLOURS, EMOTIONS, emotion_of, parse_emotions
from dogmood.errors import UsageError


def test_five_words_each_with_its_own_colour() -> None:
    assert EMOTIONS == ("anger", "fear", "happiness", "sadness", "relaxed")
    assert set(COLOURS) == set(EMOTIONS)
    assert len(set(COLOURS.values())) == 5


@pytest.mark.parametrize(("word", "emotion"), [(" Angry ", "anger"), ("scared", "fear"), ("JOY", "happiness")])
def test_aliases_are_understood(word: str, emotion: str) -> None:
    assert emotion_of(word) == emotion


@given(st.sets(st.sampled_from(sorted(ALIASES)), min_size=1))
def test_a_list_of_words_comes_back_in_order_without_doubles(words: set[str]) -> None:
    wanted = {ALIASES[word] for word in words}
    if len(wanted) < 2:
        with pytest.raises(UsageError, match="at least two"):
            parse_emotions(words)
    else:
        assert parse_emotions(",".join(words)) == tuple(e for e in EMOTIONS if e in wanted)


def test_an_unknown_word_is_named_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"'boredom' is no emotion known here; choose from anger, fear"):
        parse_emotions("anger,boredom")
