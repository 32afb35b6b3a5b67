from __future__ import annotations

import torch

from dogmood.lab.strong_augment import StrongAugment, coarsened


def pictures() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.rand(16, 3, 48, 48)


def test_crops_have_the_side_asked_for_and_stay_in_range() -> None:
    crops, _ = StrongAugment(40)(pictures(), torch.zeros(16, 1, 48, 48))
    assert crops.shape == (16, 3, 40, 40)
    assert 0 <= crops.min() <= crops.max() <= 1


def test_equal_seeds_vary_alike_and_others_do_not() -> None:
    given, augment = pictures(), StrongAugment(40)
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(augment(given, given[:, :1])[0])
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_a_picture_is_varied_differently_each_time() -> None:
    same = pictures()[:1].expand(8, -1, -1, -1)
    crops, _ = StrongAugment(40)(same, same[:, :1])
    assert all(not torch.equal(crops[0], other) for other in crops[1:])


def test_some_pictures_lose_resolution_and_the_others_nothing() -> None:
    given = torch.rand(200, 1, 32, 32)
    torch.manual_seed(0)
    result = coarsened(given)
    changed = (result != given).flatten(1).any(1)
    assert 0.1 < changed.float().mean() < 0.4
    assert result[changed].var() < given[changed].var()


def test_a_mask_moves_with_its_picture_and_keeps_its_values() -> None:
    torch.manual_seed(0)
    frame = torch.zeros(1, 1, 48, 48)
    frame[..., 12:30, 20:40] = 1
    given = frame.expand(32, 3, -1, -1) * 0.5 + 0.25
    crops, masks = StrongAugment(40)(given, frame.expand(32, -1, -1, -1))
    assert masks.shape == (32, 1, 40, 40)
    assert masks.min() >= 0
    assert masks.max() <= 1
    # Recoloured pictures are bright or dark as a whole, and still brightest where the dog is.
    for crop, mask in zip(crops, masks, strict=True):
        assert crop.mean(0)[mask[0] > 0.9].mean() > crop.mean(0)[mask[0] < 0.1].mean()
