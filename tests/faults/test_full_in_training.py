"""Training on a disk that fills up, wherever it does: a sentence, whole files, and the run goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from safetensors.torch import load_file

from dogmood.lab.run import Run
from faults.disks import enlarge, small_disk
from faults.test_clocks import steps_on_the_board
from faults.test_kills import SMALL, check_run, words_for
from faults.warm import Ended, Warm

PAGE = 4096
"""What a disk gives out at once."""


@dataclass
class Begun:
    """How a training is begun, and one that nothing stopped."""

    words: list[object]
    cache: list[object]
    through: Run

    def room(self, *names: str) -> int:
        """Return what files of the run take on a disk."""
        return sum(-(-(self.through.folder / name).stat().st_size // PAGE) * PAGE for name in names)


@pytest.fixture(scope="module")
def begun(warm_lab: Warm, small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Begun:
    folder = tmp_path_factory.mktemp("training")
    cache: list[object] = ["--cache", folder / "cache"]
    words = ["train", "--data", small_data / "emotions", *SMALL, *cache, "--out"]
    ended = warm_lab.run(*words, folder / "through")
    assert ended.code == 0, ended.err
    return Begun(words, cache, Run.open(folder / "through"))


def check_refused(ended: Ended, folder: Path, reason: str) -> None:
    """What is there is whole, and one sentence said why no more is."""
    assert ended.code == 2, ended.err
    assert len(ended.err.splitlines()) == 1
    assert reason in ended.err
    assert ended.err.endswith(".\n")
    for file in folder.glob("*.safetensors"):
        load_file(file)
    if (folder / "run.json").exists():
        epochs = [row.epoch for row in Run.open(folder).metrics()]
        assert epochs == list(range(1, len(epochs) + 1))
    assert not [path for path in folder.rglob("*") if path.name.endswith(".part")]


def check_gone_on(ended: Ended, folder: Path, begun: Begun) -> None:
    assert ended.code == 0, ended.err
    check_run(Run.open(folder), begun.through)
    assert steps_on_the_board(folder) == list(range(1, 13))
    known = {path.name for path in begun.through.folder.iterdir()}
    assert {path.name for path in folder.iterdir()} == known


FULL_AT = {
    "its settings": (),
    "the board": ("run.json",),
    "the first checkpoint": ("run.json", "run.json", "best.safetensors"),
    "the metrics": ("run.json", "run.json", "best.safetensors", "last.safetensors"),
    "the second checkpoint": ("run.json", "run.json", "best.safetensors", "last.safetensors", "metrics.csv"),
}
"""About what still fits, by where it ends or a little later: files are written before older ones go."""


@pytest.mark.parametrize("full_at", FULL_AT)
def test_a_disk_that_is_really_full(warm_lab: Warm, begun: Begun, tmp_path: Path, full_at: str) -> None:
    room = begun.room(*FULL_AT[full_at])
    with small_disk(tmp_path / "disk", "64m") as disk:
        folder = disk / "run"
        enlarge(disk, f"{max(room, PAGE)}")
        if not room:
            (disk / "ballast").write_bytes(bytes(PAGE))
        check_refused(warm_lab.run(*begun.words, folder), folder, "No space left on device")
        enlarge(disk, "64m")
        check_gone_on(warm_lab.run(*words_for(begun.words, folder, begun.cache)), folder, begun)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_files_that_may_not_grow(warm_lab: Warm, begun: Begun, tmp_path: Path, share: float) -> None:
    folder, longest = tmp_path / "run", (begun.through.folder / "last.safetensors").stat().st_size
    ended = warm_lab.run(*begun.words, folder, limit=round(share * longest))
    check_refused(ended, folder, "File too large")
    check_gone_on(warm_lab.run(*words_for(begun.words, folder, begun.cache)), folder, begun)


def test_a_cache_on_a_full_disk(warm_lab: Warm, begun: Begun, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", f"{4 * PAGE}") as disk:
        cache = ["--cache", disk / "cache"]
        start = [*begun.words[: begun.words.index("--cache")], *cache, "--out"]
        folder = tmp_path / "run"
        check_refused(warm_lab.run(*start, folder), folder, "No space left on device")
        enlarge(disk, "64m")
        check_gone_on(warm_lab.run(*words_for(start, folder, cache)), folder, begun)
