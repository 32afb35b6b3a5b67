from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from dogmood.lab import LabError
from dogmood.lab.data.originals import COPIES, originals_to_learn_from, read_originals


def test_a_row_says_whether_its_photo_stands_in_both_parts(small_data: Path) -> None:
    originals = read_originals(small_data / "original")
    assert Counter((o.picture.group, o.leaked) for o in originals) == {
        ("train-0", False): 4,
        ("train-1", True): 4,
        ("valid-2", True): 4,
        ("valid-3", False): 4,
    }
    assert {o.picture.label for o in originals} == {"anger"}


def test_what_is_learnt_from_has_no_twin_in_validation_and_few_copies(small_data: Path) -> None:
    chosen = originals_to_learn_from(small_data / "original")
    assert [(picture.split, picture.group) for picture in chosen] == [("train", "train-0")] * COPIES
    assert len({picture.path for picture in chosen}) == COPIES


def test_what_is_learnt_from_does_not_depend_on_the_order_of_the_rows(small_data: Path, tmp_path: Path) -> None:
    with (small_data / "original" / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(reversed(rows))
    names = [[p.path.name for p in originals_to_learn_from(f)] for f in (small_data / "original", tmp_path)]
    assert names[0] == names[1]


@pytest.mark.parametrize(
    "text", ["photo,label\na.jpg,anger\n", "", "photo,split,label,group,leaked\na,train,joy,g,0\n"]
)
def test_a_folder_of_something_else_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.csv").write_text(text)
    with pytest.raises(LabError, match=r"no manifest\.csv of the original experiment"):
        read_originals(tmp_path)
