from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dogmood.lab.data.manifest import Box, LabelledPhoto
from dogmood.lab.data.pets import read_pets
from dogmood.lab.finder_targets import Truth
from dogmood.lab.nets.finder import BACKDROP, DOG, FinderNet
from dogmood.lab.nets.lite import CHANNELS, Maps
from dogmood.lab.train_finder import (
    Example,
    FinderTraining,
    masks_seen,
    taught,
    train_finder,
    truth_of_labelled,
    truth_of_pet,
)

SETTINGS = FinderTraining(epochs=12, batch=8, rate=3e-3)
BODY = (0.25, 0.25, 0.75, 0.75)


def example(dog: bool, random: np.random.Generator) -> Example:
    """Maps of an input of 128 x 128 pixels; a dog lights up half the channels in its box."""
    maps = [
        random.normal(0, 0.1, (channels, side, side)).astype(np.float16)
        for channels, side in zip(CHANNELS, (16, 8, 4, 4), strict=True)
    ]
    if dog:
        for level in maps:
            quarter = level.shape[1] // 4
            level[: len(level) // 2, quarter:-quarter, quarter:-quarter] += 3
    animal = np.full((8, 8), 2, np.uint8)
    animal[2:6, 2:6] = 1
    truth = Truth(dog=True, animal=animal, species=DOG, bodies=(BODY,), heads=(BODY,))
    return Example(tuple(maps), truth if dog else Truth(dog=False, bodies=(), heads=()))


def examples() -> list[Example]:
    random = np.random.default_rng(0)
    return [example(i % 2 == 0, random) for i in range(32)]


def test_a_plain_pattern_is_learnt() -> None:
    net = FinderNet(torch.nn.Identity(), train_finder(examples(), SETTINGS)).eval()  # type: ignore[arg-type]
    random = np.random.default_rng(1)
    answers = {}
    for dog in (True, False):
        features = example(dog, random).features
        with torch.inference_mode():
            answers[dog] = net(Maps(*(torch.from_numpy(level[None]).float() for level in features)))
    mask = answers[True][1][0].numpy()
    assert mask[12:20, 12:20].mean() > 0.7
    assert mask[:6].mean() < 0.3
    scores = answers[True][2][0, 0]
    assert np.unravel_index(int(scores.argmax()), scores.shape) in {(3, 3), (3, 4), (4, 3), (4, 4)}


def test_equal_seeds_give_equal_weights() -> None:
    settings = FinderTraining(epochs=1, batch=8)
    first, second = (train_finder(examples(), settings).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


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


def test_training_goes_on_from_heads_which_stay_as_they_are() -> None:
    settings = FinderTraining(epochs=1, batch=8)
    first = train_finder(examples(), settings)
    before = {name: tensor.clone() for name, tensor in first.state_dict().items()}
    further = train_finder(examples(), replace(settings, rate=0.0), first)
    assert all(torch.equal(before[name], tensor) for name, tensor in first.state_dict().items())
    assert all(torch.allclose(before[name], tensor) for name, tensor in further.state_dict().items())


def test_masks_are_learnt_from_what_another_finder_says() -> None:
    soft = np.zeros((3, 8, 8), np.float16)
    soft[DOG, 2:6, 2:6] = 1
    soft[BACKDROP] = 1 - soft[DOG]
    known = [
        Example(e.features, Truth(dog=True, bodies=(BODY,), soft=soft) if e.truth.dog else e.truth) for e in examples()
    ]
    head = train_finder(known, SETTINGS)
    features = example(True, np.random.default_rng(1)).features
    seen = masks_seen(head, [features])
    assert seen.shape == (3, 32, 32)
    assert seen[DOG, 12:20, 12:20].mean() > 0.7
    assert seen[DOG, :6].mean() < 0.3


def test_views_of_several_sizes_are_averaged_on_the_first_ones_grid() -> None:
    head = train_finder(examples(), FinderTraining(epochs=1, batch=8))
    large = example(True, np.random.default_rng(1)).features
    small = tuple(level[:, ::2, ::2] for level in large)
    alone, both = masks_seen(head, [large]), masks_seen(head, [large, small])
    assert both.shape == alone.shape
    assert not np.array_equal(alone, both)
    assert both.sum(axis=0).astype(np.float32) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("truth", "dog", "learns"),
    [
        (Truth(dog=True, bodies=(BODY,)), 0.9, True),
        (Truth(dog=True, bodies=(BODY,)), 0.1, False),  # it does not see the dog
        (Truth(dog=True), 0.1, True),
        (Truth(dog=True, animal=np.ones((8, 8), np.uint8), species=DOG, bodies=(BODY,)), 0.9, False),
        (Truth(dog=False, bodies=(), heads=()), 0.0, False),
        (Truth(dog=False, bodies=(), heads=(BODY,)), 0.0, True),  # a cat whose mask nobody drew
    ],
)
def test_what_another_finder_says_stands_in_where_nothing_better_is_known(
    truth: Truth, dog: float, learns: bool
) -> None:
    seen = np.full((3, 32, 32), (1 - dog) / 2, np.float16)
    seen[DOG] = dog
    result = taught(truth, seen)
    assert (result.soft is seen) is learns
    assert replace(result, soft=None) == truth
