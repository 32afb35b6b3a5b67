"""Opening a video file: which containers and codecs are let in, and how large a frame may be.

ffmpeg knows hundreds of formats, some of which name other files or addresses that it
would open.  Only containers that hold everything themselves are let in, only what
cameras and programs write today is decoded, and no protocol but that of plain files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dogmood.errors import VideoError
from dogmood.files import not_a_file
from dogmood.mp4_index import PromiseError, check_promises

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,h264,hevc,m4v,dv"
"""The containers that are let in: none that names other files or addresses."""

CODECS = (
    "h264,hevc,av1,libdav1d,libaom-av1,vp8,vp9,libvpx,libvpx-vp9,mpeg4,mpeg1video,mpeg2video,mjpeg,h263,flv,"
    "msmpeg4v1,msmpeg4v2,msmpeg4,wmv1,wmv2,wmv3,vc1,theora,prores,dnxhd,dvvideo,ffv1,huffyuv,rawvideo,png,qtrle"
)
"""The decoders that are let in, by ffmpeg's names."""

MAX_FRAME_PIXELS = 36_000_000
"""Most pixels of a frame; 8K has 33 million, and there the levels of H.264 and AV1 end.  A
decoder may keep some thirty frames at once."""

LARGE_FRAME_PIXELS = 9_500_000
"""Frames above 4K: of these `LARGE_FRAME_THREADS` at most are decoded side by side."""

LARGE_FRAME_THREADS = 4

MAX_STREAMS = 32
"""Pictures, sound and text in one file."""

MAX_PIXEL_ASPECT = 16.0
"""A pixel that is said to be this much wider than high, or higher than wide, is a lie."""


def opened(path: Path) -> InputContainer:
    """Open a video file.

    Raises:
        VideoError: there is no such file, it is no video, or PyAV is not installed.
    """
    try:
        import av
    except ImportError:
        raise VideoError(
            f"{path} is a video: install the extra that reads them, pip install 'dogmood[video]'."
        ) from None
    try:
        seen = path.stat()
        kind = not_a_file(seen.st_mode)
        if kind is not None:
            raise VideoError(f"{path} is {kind}, not a video.")
        if seen.st_size == 0:
            raise VideoError(f"{path} is empty (0 bytes).")
        check_promises(path)
        # Made absolute: "http:x.mp4" is a file, not an address.
        return av.open(
            str(path.absolute()),
            container_options={
                "format_whitelist": FORMATS,
                "protocol_whitelist": "file",
                "codec_whitelist": CODECS,
                "max_streams": str(MAX_STREAMS),
            },
            options=_LIMITS,
            mode="r",
        )
    except FileNotFoundError:
        raise VideoError(f"{path} does not exist.") from None
    except PermissionError:
        raise VideoError(f"{path} cannot be opened: permission denied.") from None
    except PromiseError as refusal:
        raise VideoError(f"{path} {refusal}.") from None
    except (av.error.FFmpegError, OSError, ValueError):
        raise VideoError(
            f"{path} is not a video that can be read (MP4, MOV, MKV, WebM, AVI, MPEG, ...), or it is cut short."
        ) from None


def moving_pictures(container: InputContainer, path: Path) -> VideoStream:
    """Return the stream of a file that is read: its first moving pictures.

    Raises:
        VideoError: there are none, they are coded in an unusual way, or too large.
    """
    from av.stream import Disposition

    for stream in container.streams.video:
        if stream.disposition & Disposition.attached_pic:  # a cover is no video
            continue
        context = stream.codec_context
        if context is None or context.name not in CODECS.split(","):
            raise VideoError(f"{path} is coded in a way that cannot be decoded; convert it to H.264 first.")
        if context.width * context.height > MAX_FRAME_PIXELS:
            raise VideoError(
                f"{path} is {context.width} x {context.height}: over {MAX_FRAME_PIXELS / 1e6:g} million pixels a "
                "frame; make it smaller first."
            )
        # Frames may grow in the middle of a file: the decoder itself keeps the limit too.
        context.options = {**context.options, **_LIMITS}
        stream.thread_type = "AUTO"
        if context.width * context.height > LARGE_FRAME_PIXELS:
            # Each thread holds frames of its own.
            context.thread_count = LARGE_FRAME_THREADS
        return stream
    raise VideoError(f"{path} holds no moving pictures, only sound or text.")


_LIMITS = {"max_pixels": str(MAX_FRAME_PIXELS)}
