"""A video of what was read: every sampled frame with its dogs, at its own time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dogmood.atomic import atomic_write
from dogmood.errors import VideoError
from dogmood.photo import Photo, Pixels, resized
from dogmood.picture import annotated
from dogmood.reading import Reading

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

_BASE = Fraction(1, 1000)

_QUICK = {"deadline": "realtime", "cpu-used": "8", "crf": "32", "b": "0"}
"""VP9's settings: encoding shall not take longer than reading."""


class AnnotatedVideo:
    """Takes frames with their readings and encodes them: WebM, VP9 (libvpx, BSD).

    Args:
        container: open for writing.
    """

    def __init__(self, container: OutputContainer) -> None:
        self._container = container
        self._stream: VideoStream | None = None

    def add(self, photo: Photo, reading: Reading) -> None:
        """Add a frame; all are as large as the first."""
        from av import VideoFrame

        # Beside its dog a viewer wants the number that stays with it.
        dogs = tuple(replace(dog, dog=dog.track or dog.dog) for dog in reading.dogs)
        pixels = np.asarray(annotated(photo, replace(reading, dogs=dogs)))
        if self._stream is None:
            self._stream = self._open(pixels)
        frame = VideoFrame.from_ndarray(resized(pixels, self._stream.width, self._stream.height), format="rgb24")
        frame.pts, frame.time_base = round((reading.time or 0.0) * 1000), _BASE
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what the encoder still holds."""
        if self._stream is not None:
            self._container.mux(self._stream.encode())

    def _open(self, pixels: Pixels) -> VideoStream:
        height, width = pixels.shape[:2]
        stream = self._container.add_stream("libvpx-vp9", rate=30, options=_QUICK)
        # Its colours are halved in both directions: even sides only.
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        stream.time_base = stream.codec_context.time_base = _BASE
        return stream


@contextmanager
def open_annotated_video(path: Path) -> Iterator[AnnotatedVideo]:
    """Open a ``.webm`` file that is complete or absent.

    Raises:
        VideoError: the package that writes videos is not installed.
        UsageError: the folder cannot be written to.
    """
    try:
        import av
    except ImportError:
        raise VideoError(
            f"{path} is to be a video: install the extra that writes them, pip install 'dogmood[video]'."
        ) from None

    with atomic_write(path) as file, av.open(file, "w", format="webm") as container:
        video = AnnotatedVideo(container)
        yield video
        video.close()
