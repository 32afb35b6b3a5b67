from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from dogmood.lab.finder_lessons import masks_seen
from dogmood.lab.finder_targets import Truth
from dogmood.lab.nets.finder import BACKDROP, DOG, FinderHead, FinderNet
from dogmood.lab.nets.lite import CHANNELS, Maps
from dogmood.lab.train_finder import Example, FinderTraining, train_finder

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


def test_what_is_kept_is_the_moving_average_of_the_weights() -> None:
    last, average = (
        train_finder(examples(), FinderTraining(epochs=2, batch=8, averaging=averaging)) for averaging in (0.0, 0.998)
    )
    assert not torch.equal(last.mask.weight, average.mask.weight)
    torch.manual_seed(0)
    start = FinderHead().mask.weight
    assert (average.mask.weight - start).norm() < (last.mask.weight - start).norm()


def test_where_nothing_tells_the_mask_is_bolder_than_the_odds() -> None:
    """A loss that only counts cells would say just how many are dog; overlap is lost more by what is left out."""
    random = np.random.default_rng(0)
    blank = tuple(np.zeros((c, side, side), np.float16) for c, side in zip(CHANNELS, (16, 8, 4, 4), strict=True))
    animals = [np.where(random.random((8, 8)) < 0.3, 1, 2).astype(np.uint8) for _ in range(16)]
    given = [Example(blank, Truth(dog=True, animal=animal, species=DOG, bodies=None, heads=None)) for animal in animals]
    net = FinderNet(torch.nn.Identity(), train_finder(given, SETTINGS)).eval()  # type: ignore[arg-type]
    with torch.inference_mode():
        mask = net(Maps(*(torch.from_numpy(level[None]).float() for level in blank)))[1][0]
    share = np.mean([animal == 1 for animal in animals])
    assert float(mask.mean()) > 1.15 * share
