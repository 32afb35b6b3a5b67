"""How many samples the header of an MP4 or MOV promises, asked before ffmpeg makes room for them.

ffmpeg keeps some 36 to 72 bytes for every picture and every piece of sound that a
header speaks of.  A header can speak of millions in one number: where all samples are
said to be of one size there is no table that would have to be as long.  So boxes are
walked here as ffmpeg walks them (ISO/IEC 14496-12), and what they promise is held
against the size of the file.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAX_SAMPLES = 8_000_000
"""Most pictures and pieces of sound: a day at 30 a second, with its sound, has 6.7 million."""

LEAST_BYTES = 4
"""What a picture or piece of sound takes at least, on average over a file."""

MAX_BOXES = 2_000_000
"""A day in fragments of half a second has 1.4 million."""

_MAX_DEPTH = 10
"""ffmpeg goes no deeper."""

_CONTAINERS = {
    b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"moof", b"traf", b"mvex", b"udta", b"ilst", b"wave",
    b"sinf", b"schi",
}  # fmt: skip
_FIRST = {
    b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"pnot", b"udta", b"uuid", b"sidx", b"hoov",
}  # fmt: skip
"""What such a file begins with."""

_HIDDEN = re.compile(rb"stsz|stz2|trun|elst|cmov")
_MOST_HIDDEN = 1 << 20
"""Bytes of descriptions of codecs that are searched for these: there boxes may stand anywhere."""

_USUAL_EDITS = 2
"""An empty edit and a cut; ffmpeg goes through the samples once more for each further one."""

_SOUND_AT_ONCE = 1024
"""Plain sound is kept by so many values."""


class PromiseError(Exception):
    """The header promises too much; the message ends a sentence about the file."""


def check_promises(path: Path) -> None:
    """Refuse an MP4 or MOV whose header would have ffmpeg make room for too many samples.

    Files of other kinds pass: their indexes grow with what is really there.

    Raises:
        PromiseError: it promises too much.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        if file.read(8)[4:] in _FIRST:
            _Walk(file, size).check()


@dataclass
class _Track:
    """What is said of one track; of fragments, one for all of them."""

    samples: int = 0
    edits: int = 0
    chunks: int = 0
    most_in_chunk: int = 0
    sound: bool = False
    steps_of_one: bool = False
    shifted: bool = False

    @property
    def plain_sound(self) -> bool:
        """Whether each sample is one value of sound: those are kept by chunks."""
        return self.sound and self.steps_of_one and not self.shifted

    @property
    def kept(self) -> int:
        """How many entries ffmpeg's index of it has, before its edits."""
        return self.chunks * (1 + self.most_in_chunk // _SOUND_AT_ONCE) if self.plain_sound else self.samples

    @property
    def entries(self) -> int:
        """How many it has with them."""
        return self.kept * max(1, self.edits - _USUAL_EDITS + 1)


class _Walk:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size
        self._boxes = 0
        self._tracks = [_Track()]

    def check(self) -> None:
        self._inside(0, self._size, 0)
        kept = sum(track.kept for track in self._tracks)
        if kept * LEAST_BYTES > self._size:
            raise PromiseError(
                f"says that it holds {kept:,} pictures and sounds, more than fit into its {self._size:,} bytes: "
                "it is damaged or cut short"
            )
        if sum(track.entries for track in self._tracks) > MAX_SAMPLES:
            raise PromiseError(
                f"holds over {MAX_SAMPLES / 1e6:g} million pictures, sounds and repeats of them: "
                "cut it into parts first"
            )

    def _inside(self, at: int, end: int, depth: int) -> None:
        if depth > _MAX_DEPTH:
            return
        for kind, start, stop in self._boxes_of(at, end, depth):
            if kind == b"trak":
                self._tracks.append(_Track())
            if kind in (b"free", b"hoov") and self._read(start, 8)[4:] in (b"mvhd", b"cmov"):
                self._inside(start, stop, depth + 1)  # ffmpeg, too, looks for a header left behind there
            elif kind == b"meta":
                head = self._read(start, 64).find(b"hdlr")
                if head >= 4:
                    self._inside(start + head - 4, stop, depth + 1)
            elif kind == b"stsd":
                content = self._read(start, min(stop - start, _MOST_HIDDEN))
                for found in _HIDDEN.finditer(content):
                    self._take(found.group(), start + found.end(), stop)
            elif kind in _CONTAINERS:
                self._inside(start, stop, depth + 1)
            else:
                self._take(kind, start, stop)

    def _boxes_of(self, at: int, end: int, depth: int) -> Iterator[tuple[bytes, int, int]]:
        """Yield kind, first byte and end of each box's content."""
        while at + 8 <= end:
            self._boxes += 1
            if self._boxes > MAX_BOXES:
                raise PromiseError("has too many parts in its header: convert it to MP4 anew first")
            head = self._read(at, 16)
            if len(head) < 8:
                return
            length, kind = struct.unpack(">I4s", head[:8])
            start = at + 8
            if length == 1 and len(head) == 16:
                length, start = struct.unpack(">Q", head[8:])[0], at + 16
            stop = end if length == 0 else min(end, at + length)
            if stop < start or (depth > 1 and kind == b"mdat"):
                return
            yield kind, start, stop
            at = stop

    def _take(self, kind: bytes, start: int, stop: int) -> None:
        """Note what a table promises."""
        track = self._tracks[-1]
        if kind == b"cmov":
            raise PromiseError("has a compressed header: convert it to MP4 first")
        if kind in (b"stsz", b"stz2"):
            track.samples += self._number(start + 8)
        elif kind == b"trun":
            self._tracks[0].samples += self._number(start + 4)
        elif kind == b"elst":
            track.edits += self._number(start + 4)
        elif kind in (b"stco", b"co64"):
            track.chunks += min(self._number(start + 4), (stop - start) // 4)
        elif kind == b"stsc":
            table = self._read(start + 8, 12 * min(self._number(start + 4), (stop - start) // 12))
            rows = struct.iter_unpack(">3I", table[: len(table) // 12 * 12])
            track.most_in_chunk = max((count for _, count, _ in rows), default=0)
        elif kind == b"stts":
            track.steps_of_one = (self._number(start + 4), self._number(start + 12)) == (1, 1)
        elif kind == b"ctts":
            track.shifted = True
        elif kind == b"hdlr" and self._read(start + 8, 4) == b"soun":
            track.sound = True

    def _number(self, at: int) -> int:
        return int.from_bytes(self._read(at, 4), "big")

    def _read(self, at: int, size: int) -> bytes:
        self._file.seek(at)
        return self._file.read(size)
