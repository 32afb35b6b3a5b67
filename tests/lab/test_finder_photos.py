from __future__ import annotations

from pathlib import Path

from dogmood.lab.data.manifest import Box, LabelledPhoto
from dogmood.lab.data.pets import read_pets
from dogmood.lab.finder_photos import finder_sources, labelled_for_finder, truth_of_labelled, truth_of_pet
from dogmood.lab.finder_targets import Truth


def test_labelled_photos_are_drawn_by_seed_from_training(small_data: Path) -> None:
    photos = labelled_for_finder(small_data, seed=0)
    assert {photo.split for photo in photos} == {"train"}
    assert "web" not in {photo.tier for photo in photos}
    assert photos == labelled_for_finder(small_data, seed=0)


def test_what_the_finder_learns_from_is_named_boxes_too(small_data: Path, tmp_path: Path) -> None:
    before = finder_sources(small_data)
    assert set(before) == {"emotions/manifest.csv", "emotions/boxes.csv", "finder/index.csv"}
    for name in before:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((small_data / name).read_bytes())
    with (tmp_path / "emotions" / "boxes.csv").open("a") as file:
        file.write("another.jpg,dog,0.9,0,0,9,9\n")
    assert {name for name, sha in finder_sources(tmp_path).items() if sha != before[name]} == {"emotions/boxes.csv"}


def test_pets_tell_body_head_and_mask(small_data: Path) -> None:
    pets = {p.name: p for p in read_pets(small_data / "finder")}
    dog, cat, nothing = (truth_of_pet(pets[name]) for name in ("pet_0", "pet_1", "pet_2"))
    assert dog is not None
    assert dog.bodies == ((16 / 96, 32 / 96, 80 / 96, 1.0),)
    assert dog.heads == ((32 / 96, 32 / 96, 64 / 96, 64 / 96),)
    assert cat is not None
    assert cat.bodies == ()
    assert not cat.head_scored
    assert nothing == Truth(dog=False, bodies=(), heads=())


def labelled() -> LabelledPhoto:
    return LabelledPhoto(Path("a.jpg"), "train", "anger", (1, 0, 0, 0, 0), "gold", "g", "s", False, "0")


def test_detector_boxes_tell_where_dogs_are_but_not_how_large_heads_are() -> None:
    boxes = [Box("dog", 0.9, (0, 0, 50, 100)), Box("dog", 0.2, (0, 0, 9, 9)), Box("head", 1.0, (10, 10, 20, 20))]
    truth = truth_of_labelled(labelled(), boxes, 100, 100)
    assert truth is not None
    assert truth.bodies == ((0, 0, 0.5, 1),)
    assert truth.heads == ((0.1, 0.1, 0.2, 0.2),)
    assert not truth.head_sizes


def test_with_several_dogs_one_head_does_not_tell_where_all_heads_are() -> None:
    boxes = [Box("dog", 0.9, (0, 0, 50, 100)), Box("dog", 0.8, (50, 0, 99, 99)), Box("head", 1.0, (10, 10, 20, 20))]
    truth = truth_of_labelled(labelled(), boxes, 100, 100)
    assert truth is not None
    assert truth.heads is None


def test_without_a_sure_dog_box_nothing_is_learnt() -> None:
    assert truth_of_labelled(labelled(), [Box("dog", 0.3, (0, 0, 9, 9))], 100, 100) is None
