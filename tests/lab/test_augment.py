from __future__ import annotations

import torch

from dogmood.lab.augment import Augment, middle_crop, moved_about, one_crop, ten_crops


def numbered(frame: int) -> torch.Tensor:
    return torch.arange(frame * frame, dtype=torch.float32).reshape(1, 1, frame, frame)


def test_ten_crops_are_corners_middle_and_their_mirror_images() -> None:
    picture = numbered(6)
    crops = ten_crops(picture, 4)
    assert crops.shape == (10, 1, 4, 4)
    first_pixels = crops[:5, 0, 0, 0].tolist()
    assert first_pixels == [0.0, 2.0, 12.0, 14.0, 7.0]
    assert torch.equal(crops[5:], crops[:5].flip(-1))


def test_the_ten_of_a_picture_stand_together() -> None:
    two = torch.cat([numbered(6), -numbered(6)])
    crops = ten_crops(two, 4)
    assert (crops[:10] >= 0).all()
    assert (crops[10:] <= 0).all()


def test_the_middle_crop_is_the_fifth_of_ten() -> None:
    assert torch.equal(middle_crop(numbered(9), 5)[0], ten_crops(numbered(9), 5)[4])


def test_a_random_crop_is_some_window_of_the_picture() -> None:
    torch.manual_seed(0)
    picture = numbered(6)
    windows = {tuple(w.flatten().tolist()) for w in picture.unfold(2, 4, 1).unfold(3, 4, 1).reshape(-1, 4, 4)}
    crops = one_crop(picture.repeat(50, 1, 1, 1), 4)
    seen = {tuple(crop.flatten().tolist()) for crop in crops[:, 0]}
    assert seen <= windows
    assert len(seen) > 4


def test_without_augmentation_the_middle_is_cut_and_nothing_moves() -> None:
    picture = numbered(6)
    assert torch.equal(Augment(4, 10, moving=False)(picture), middle_crop(picture, 4))
    assert Augment(4, 10, moving=False).crops == 1


def test_augmentation_gives_ten_crops_a_picture_and_follows_the_seed() -> None:
    pictures = torch.rand(3, 1, 48, 48)
    augment = Augment(40, 10, moving=True)
    torch.manual_seed(5)
    first = augment(pictures)
    torch.manual_seed(5)
    again = augment(pictures)
    assert first.shape == (30, 1, 40, 40)
    assert torch.equal(first, again)
    assert not torch.equal(first, augment(pictures))
    assert first.min() >= 0
    assert first.max() <= 1


def test_about_half_of_the_crops_have_a_rectangle_erased() -> None:
    torch.manual_seed(0)
    crops = Augment(40, 1, moving=True)(torch.ones(400, 1, 48, 48))
    # A white picture turns black where it was erased, or where it moved in from outside.
    plain = moved_about(torch.ones(400, 1, 48, 48))
    assert crops.mean() < middle_crop(plain, 40).mean() - 0.02


def test_pictures_move_by_no_more_than_the_protocol_says() -> None:
    torch.manual_seed(0)
    dot = torch.zeros(500, 1, 48, 48)
    dot[:, :, 23:25, 23:25] = 1.0
    moved = moved_about(dot)
    at = moved.flatten(1).argmax(1)
    rows, columns = at // 48, at % 48
    most = 0.2 * 48 + 2
    assert (rows - 23.5).abs().max() <= most
    assert (columns - 23.5).abs().max() <= most
    stayed = ((rows - 23.5).abs() < 2) & ((columns - 23.5).abs() < 2)
    assert 0.4 < stayed.float().mean() < 0.65


def test_half_of_the_pictures_are_mirrored() -> None:
    torch.manual_seed(0)
    left = torch.zeros(400, 1, 48, 48)
    left[..., :24] = 1.0
    moved = moved_about(left)
    mirrored = moved[..., 24:].sum(dim=(1, 2, 3)) > moved[..., :24].sum(dim=(1, 2, 3))
    assert 0.4 < mirrored.float().mean() < 0.6
