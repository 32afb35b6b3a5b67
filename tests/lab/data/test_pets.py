from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from dogmood.lab import LabError
from dogmood.lab.data.pets import read_pets, split_of


def test_rows_become_photos_with_their_annotation(small_data: Path) -> None:
    pets = {p.name: p for p in read_pets(small_data / "finder")}
    dog, nothing = pets["pet_0"], pets["pet_2"]
    assert (dog.kind, dog.head, dog.nose) == ("dog", (32.0, 32.0, 64.0, 64.0), (48.0, 50.0))
    mask = dog.mask()
    assert mask is not None
    assert Counter(mask.ravel().tolist()) == {1: 64 * 64, 2: 96 * 96 - 64 * 64}
    assert (nothing.kind, nothing.head, nothing.mask()) == ("none", None, None)


def test_the_split_depends_on_the_name_alone_and_is_about_7_1_2() -> None:
    assert [split_of(f"photo {i}") for i in range(6)] == ["test", "train", "test", "train", "train", "train"]
    counts = Counter(split_of(str(i)) for i in range(5000))
    assert counts["train"] / 5000 == pytest.approx(0.7, abs=0.03)
    assert counts["test"] / 5000 == pytest.approx(0.2, abs=0.03)


def test_a_missing_index_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"index\.csv does not exist"):
        read_pets(tmp_path)
