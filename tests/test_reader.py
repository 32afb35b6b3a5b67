from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dogmood import DogMood, PhotoError, UsageError
from dogmood.emotions import EMOTIONS
from dogmood.photo import ENOUGH_SIDE
from dogmood.regions import REGIONS


def test_a_dog_is_found_and_read(dogmood: DogMood, bull_mastiff: Path) -> None:
    reading = dogmood.read(bull_mastiff)
    assert reading.status == "read"
    (dog,) = reading.dogs
    x0, y0, x1, y1 = dog.box
    assert x0 < reading.width / 2 < x1  # the dog stands in the middle
    assert y0 < reading.height / 2 < y1
    assert dog.head is not None
    assert sum(dog.probabilities.values()) == pytest.approx(1)
    assert dog.emotion == max(dog.probabilities, key=dog.probabilities.__getitem__)
    assert dog.emotion in dog.possible


def test_of_twenty_photos_two_show_a_dog(dogmood: DogMood, imagenet: Path) -> None:
    photos = sorted(imagenet.glob("imagenet_*.jpg"))
    with_dog = [p.name for p, r in zip(photos, dogmood.read_many(photos), strict=True) if r.status == "read"]
    assert with_dog == ["imagenet_00_243.jpg", "imagenet_16_251.jpg"]


@pytest.mark.parametrize("model", ["base", "fast"])
def test_a_small_grey_face_is_a_dog(model: str, bull_mastiff: Path) -> None:
    # Enlarged to the finder's full side, as once all photos were, it is taken for nothing.
    reader = DogMood(model)
    with Image.open(bull_mastiff) as image:
        face = image.crop((73, 124, 350, 353)).resize((64, 64)).convert("L")
    assert reader.read(face).status == "read"


def test_every_way_in_gives_the_same_reading(dogmood: DogMood, bull_mastiff: Path) -> None:
    with Image.open(bull_mastiff) as image:
        ways = [bull_mastiff, str(bull_mastiff), bull_mastiff.read_bytes(), image, np.asarray(image)]
        readings = [dogmood.read(way) for way in ways]
    assert all(reading.dogs == readings[0].dogs for reading in readings)


def test_alone_or_among_others_a_photo_reads_the_same(dogmood: DogMood, bull_mastiff: Path, cottage: Path) -> None:
    alone = dogmood.read(bull_mastiff)
    among = list(dogmood.read_many([cottage, bull_mastiff, bull_mastiff]))
    assert [r.status for r in among] == ["no_dog", "read", "read"]
    assert among[1] == among[2] == alone


def test_side_by_side_photos_read_as_they_do_alone(dogmood: DogMood, bull_mastiff: Path, cottage: Path) -> None:
    photos = [cottage, bull_mastiff, cottage / "nowhere.jpg", bull_mastiff, cottage]
    at_once = list(DogMood(threads=3, side_by_side=2).read_many(photos, explain=True))
    assert [r.source for r in at_once] == [str(photo) for photo in photos]
    assert [r.status for r in at_once] == ["no_dog", "read", "unreadable", "read", "no_dog"]
    alone = dogmood.read(bull_mastiff, explain=True)
    assert [at_once[1].to_dict(), at_once[3].to_dict()] == [alone.to_dict()] * 2


def test_no_photo_at_once_is_refused() -> None:
    with pytest.raises(UsageError, match="At least one photo is read at once, not 0"):
        DogMood(side_by_side=0)


def test_one_bad_photo_does_not_stop_the_others(dogmood: DogMood, bull_mastiff: Path, tmp_path: Path) -> None:
    bad, good = dogmood.read_many([tmp_path / "nowhere.jpg", bull_mastiff])
    assert bad.status == "unreadable"
    assert bad.reason == f"{tmp_path / 'nowhere.jpg'} does not exist."
    assert good.status == "read"
    with pytest.raises(PhotoError):
        dogmood.read(tmp_path / "nowhere.jpg")


def test_chosen_emotions_alone_are_told(bull_mastiff: Path) -> None:
    (dog,) = DogMood(emotions="sad,angry").read(bull_mastiff).dogs
    assert list(dog.probabilities) == ["anger", "sadness"]
    assert sum(dog.probabilities.values()) == pytest.approx(1)
    with pytest.raises(UsageError):
        DogMood(emotions="anger,boredom")


def test_boxes_are_in_pixels_of_the_photo_as_it_came(dogmood: DogMood, bull_mastiff: Path) -> None:
    with Image.open(bull_mastiff) as image:
        twice = image.resize((image.width * 2, image.height * 2))
    small, large = dogmood.read(bull_mastiff).dogs[0], dogmood.read(twice).dogs[0]
    assert np.array(large.box) == pytest.approx(2 * np.array(small.box), abs=0.05 * twice.width)


def test_boxes_of_a_jpeg_that_is_unpacked_small_are_in_its_own_pixels(
    dogmood: DogMood, bull_mastiff: Path, tmp_path: Path
) -> None:
    with Image.open(bull_mastiff) as image:
        image.resize((image.width * 9, image.height * 9)).save(tmp_path / "large.jpg")
    small, large = dogmood.read(bull_mastiff), dogmood.read(tmp_path / "large.jpg")
    assert large.width == 9 * small.width > 2 * ENOUGH_SIDE
    for now, before in zip(
        (large.dogs[0].box, large.dogs[0].head), (small.dogs[0].box, small.dogs[0].head), strict=True
    ):
        assert now == pytest.approx(9 * np.array(before), abs=0.05 * large.width)


def test_maps_come_when_asked_for(dogmood: DogMood, bull_mastiff: Path) -> None:
    assert dogmood.read(bull_mastiff).dogs[0].saliency is None
    (dog,) = dogmood.read(bull_mastiff, explain=True).dogs
    assert dog.saliency is not None
    assert set(dog.saliency) == set(EMOTIONS)
    assert all(0 <= one.min() <= one.max() <= 1 for one in dog.saliency.values())


def test_two_dogs_side_by_side_are_two_readings(dogmood: DogMood, bull_mastiff: Path) -> None:
    with Image.open(bull_mastiff) as image:
        pair = Image.new("RGB", (2 * image.width, image.height))
        pair.paste(image, (0, 0))
        pair.paste(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (image.width, 0))
    reading = dogmood.read(pair)
    assert len(reading.dogs) == 2
    first, second = reading.dogs
    assert first.box[2] < second.box[0] + 0.1 * reading.width
    assert (first.dog, second.dog) == (1, 2)


def test_another_choice_of_emotions_shares_the_networks(dogmood: DogMood, bull_mastiff: Path) -> None:
    chosen = dogmood.choosing("sad,angry")
    assert chosen.read(bull_mastiff) == DogMood(emotions="sad,angry").read(bull_mastiff)
    assert chosen.finder is dogmood.finder
    assert dogmood.emotions == EMOTIONS
    assert chosen.choosing(EMOTIONS).read(bull_mastiff) == dogmood.read(bull_mastiff)
    with pytest.raises(UsageError):
        dogmood.choosing("boredom,fear")


def test_ten_crops_are_an_average_near_the_single_one(dogmood: DogMood, bull_mastiff: Path) -> None:
    one, ten = dogmood.read(bull_mastiff).dogs[0], DogMood(ten_crop=True).read(bull_mastiff).dogs[0]
    assert one.box == ten.box
    assert one.probabilities != ten.probabilities
    assert list(one.probabilities.values()) == pytest.approx(list(ten.probabilities.values()), abs=0.35)


def test_fine_maps_leave_the_reading_as_it_is(dogmood: DogMood, bull_mastiff: Path) -> None:
    (quick,) = dogmood.read(bull_mastiff, explain=True).dogs
    (fine,) = DogMood(explain_quality="fine").read(bull_mastiff, explain=True).dogs
    assert fine.probabilities == quick.probabilities
    assert quick.saliency is not None
    assert fine.saliency is not None
    assert (fine.saliency[fine.emotion] != quick.saliency[quick.emotion]).any()


def test_where_it_looked_is_told_in_shares_that_sum_to_1(dogmood: DogMood, bull_mastiff: Path) -> None:
    assert dogmood.read(bull_mastiff).dogs[0].looked_at is None
    (dog,) = dogmood.read(bull_mastiff, explain=True).dogs
    assert dog.looked_at is not None
    assert set(dog.looked_at[dog.emotion]) == set(REGIONS)
    for shares in dog.looked_at.values():
        assert sum(shares.values()) == pytest.approx(1)


def test_an_unknown_explain_quality_is_named() -> None:
    with pytest.raises(UsageError, match="'superb': choose quick or fine"):
        DogMood(explain_quality="superb")
