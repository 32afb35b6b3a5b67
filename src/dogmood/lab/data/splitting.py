"""Fair splits: near-duplicates, one dog, one video never straddle them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from dogmood.emotions import EMOTIONS
from dogmood.errors import UsageError
from dogmood.lab import LabError
from dogmood.lab.data.manifest import SPLITS, LabelledPhoto, read_manifest, read_rows, write_rows
from dogmood.lab.data.near import Pairs, joined, look_at, near_pairs

SHARES = {"train": 0.8, "valid": 0.1, "test": 0.1}


def split_photos(folder: Path, seed: int = 0, embed: bool = True, again: bool = False) -> dict[str, Counter[str]]:
    """Group the photos of a folder and split the groups; the manifest is rewritten.

    Args:
        folder: holds ``manifest.csv`` and ``photos/``.
        seed: of the draw; the order of the rows does not matter.
        embed: also find near-duplicates by their embeddings.
        again: redo a split that exists.

    Returns:
        How many photos of each emotion each split has.

    Raises:
        LabError: there is a split already, or an emotion has too few different photos.
        UsageError: the seed is negative.
    """
    if seed < 0:
        raise UsageError(f"--seed {seed} is below 0: give a whole number from 0 on.")
    photos = read_manifest(folder)
    if any(photo.split for photo in photos) and not again:
        raise LabError(f"{folder} is split already, and what was learnt depends on it: to split it anew, say --again.")
    groups = group_photos(photos, near_pairs(look_at([photo.path for photo in photos], embed)))
    splits = draw_splits([photo.label for photo in photos], groups, seed)
    rows = [
        {**row, "group": group, "split": split}
        for row, group, split in zip(read_rows(folder), groups, splits, strict=True)
    ]
    write_rows(folder, rows)
    counts: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}
    for photo, split in zip(photos, splits, strict=True):
        counts[split][photo.label] += 1
    return counts


def group_photos(photos: Sequence[LabelledPhoto], near: Pairs) -> list[str]:
    """Return each photo's group, named by the first of its photos in alphabetical order.

    Photos belong together when they are near, show the same dog, come from the same
    video, or did so already.
    """
    pairs = list(near)
    for name in ("dog", "video", "group"):
        first: dict[str, int] = {}
        for i, photo in enumerate(photos):
            value = getattr(photo, name)
            if value:
                pairs.append((first.setdefault(value, i), i))
    parts = joined(len(photos), pairs).tolist()
    names: dict[int, str] = {}
    for part, photo in zip(parts, photos, strict=True):
        names[part] = min(names.get(part, photo.name), photo.name)
    return [names[part] for part in parts]


def draw_splits(
    labels: Sequence[str], groups: Sequence[str], seed: int, shares: Mapping[str, float] = SHARES
) -> list[str]:
    """Return each photo's split: whole groups, each emotion in the wanted shares.

    Groups are dealt one by one, the largest of the rarest emotion first, to the split
    that lacks most of what it should have of that emotion, among those that lack the
    whole group: a long video would be twice what a small split wants.  The last groups
    go where there is none yet.

    Args:
        labels: each photo's emotion.
        groups: each photo's group.
        seed: of the order among equals.
        shares: of the photos that each split shall have; they sum to 1.

    Raises:
        LabError: an emotion has fewer groups than there are splits.
    """
    members: dict[str, Counter[str]] = {}
    for label, group in sorted(zip(labels, groups, strict=True)):
        members.setdefault(group, Counter())[label] += 1
    total = Counter(labels)
    main = {group: max(counts, key=lambda label: (counts[label], -total[label])) for group, counts in members.items()}
    _check_enough(labels, groups, len(shares))
    order = sorted(members)
    np.random.default_rng(seed).shuffle(order)
    order.sort(key=lambda group: (total[main[group]], main[group], -sum(members[group].values())))
    # The small splits come first among equals, so that none stays empty.
    have: dict[str, Counter[str]] = {split: Counter() for split in sorted(shares, key=lambda s: shares[s])}
    left = Counter(main.values())
    chosen = {}
    for group in order:
        label = main[group]
        size = members[group][label]
        want = {split: shares[split] * total[label] for split in have}
        empty = [split for split in have if not have[split][label]]
        fitting = [split for split in have if size <= want[split] - have[split][label]]
        allowed = empty if left[label] <= len(empty) else fitting or list(have)
        split = max(allowed, key=lambda s: 1 - have[s][label] / want[s])
        have[split].update(members[group])
        left[label] -= 1
        chosen[group] = split
    return [chosen[group] for group in groups]


def _check_enough(labels: Sequence[str], groups: Sequence[str], least: int) -> None:
    for emotion in EMOTIONS:
        of_emotion = [group for label, group in zip(labels, groups, strict=True) if label == emotion]
        count = len(set(of_emotion))
        if not 0 < count < least:
            continue
        has = f"{len(of_emotion)} photo{'s' * (len(of_emotion) > 1)}"
        if count < len(of_emotion):
            has += f" in {count} group{'s' * (count > 1)} of near photos or photos of one dog or video"
        raise LabError(
            f"{emotion.capitalize()} has {has}, but each split needs one of its own: "
            f"add other photos of {emotion}, or import without it (--drop)."
        )
