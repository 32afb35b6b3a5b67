"""From any picture a person may have to upright RGB pixels, or one clear sentence.

Whatever comes in (a path, the bytes of a file, a PIL picture, an array) leaves as
a `Photo`: 8-bit RGB, turned upright, without transparency.  What cannot be read
raises `PhotoError` with a sentence that a person understands.
"""

from __future__ import annotations

import io
import os
import re
import threading
import warnings
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dogmood.errors import PhotoError, PhotoTooLargeError, plainly
from dogmood.files import not_a_file, read_file
from dogmood.heif import is_heif, largest_extent
from dogmood.rgb import to_rgb

if TYPE_CHECKING:
    import PIL.Image

Pixels: TypeAlias = NDArray[np.uint8]
PhotoSource: TypeAlias = "str | os.PathLike[str] | bytes | PIL.Image.Image | NDArray[np.uint8]"

SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff",
    ".heic", ".heif", ".hif",
})  # fmt: skip
"""File names a folder is searched for; what the file really is, its bytes decide."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF")
"""The decoders that are let in: none that runs another program."""

MAX_BYTES = 1_000_000_000
"""Largest file: `MAX_PIXELS` without compression, and room to spare."""

MAX_PIXELS = 100_000_000
"""Most pixels that are unpacked.  A JPEG whose detail comes block by block may have up to
178 million, the most that Pillow opens, since its decoder can skip detail while it reads;
a progressive one cannot, and takes up to 8 bytes of memory a pixel."""

MAX_SCAN_PIXELS = 4_000_000_000
"""Most pixels times passes over them.  A progressive JPEG may ask for thousands of passes
in a few bytes each; cameras and programs write about ten."""

ENOUGH_SIDE = 2048
"""Larger pictures are unpacked, or shrunk at once, while their long side stays at least
this: a JPEG to 1/2, 1/4 or 1/8, others to any whole part."""

MIN_SIDE = 16
"""Nothing can be seen on fewer pixels."""

_OWN_PIPES = (Path("/dev"), Path("/dev/fd"), Path("/proc/self/fd"))
"""Where pipes stand that were handed to this process: ``<(...)``, ``/dev/stdin``."""

_ORIENTATION = 0x0112
"""The EXIF tag."""

_TURNS = {
    2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_270", 7: "TRANSVERSE",
    8: "ROTATE_90",
}  # fmt: skip
"""Pillow's turns that set a picture upright, by what that tag says."""

_SIDEWAYS = ("TRANSPOSE", "ROTATE_270", "TRANSVERSE", "ROTATE_90")
"""Those by which width and height change places."""

_MOST_SCANS = 500
"""Passes over a JPEG, however small."""

_START_OF_SCAN = b"\xff\xda"
"""JPEG's mark: it never stands in the coded pixels themselves."""

_EXIF_IFD, _TIME_OF_SHOT, _OFFSET_OF_SHOT = 0x8769, 0x9003, 0x9011
"""Where EXIF keeps DateTimeOriginal and OffsetTimeOriginal."""


@dataclass(frozen=True, eq=False)
class Photo:
    """An upright photo.

    Attributes:
        pixels: ``(h, w, 3)`` uint8, RGB.
        width: width of the upright original in pixels.
        height: height of the upright original in pixels.
        source: the path, or ``"<bytes>"``, ``"<image>"``, ``"<array>"``.
        taken: when, by the camera's clock, as ISO 8601 says it; None where the file
            does not say.
    """

    pixels: Pixels
    width: int
    height: int
    source: str
    taken: str | None = None

    @property
    def scale(self) -> tuple[float, float]:
        """What (x, y) in `pixels` are multiplied by to be in the original."""
        height, width = self.pixels.shape[:2]
        return self.width / width, self.height / height


def open_photo(source: PhotoSource, name: str | None = None, max_pixels: int | None = None) -> Photo:
    """Open a photo, turn it upright and make it RGB.

    Args:
        source: a path; the bytes of a picture file; a PIL picture; or an array,
            ``(h, w, 3)`` uint8 RGB or ``(h, w)`` uint8 grey.
        name: what to call it, instead of what `source_name` says.
        max_pixels: most pixels that are unpacked, whatever the format; `MAX_PIXELS`
            and what it says of JPEG unless given.

    Raises:
        PhotoTooLargeError: it has more pixels than that.
        PhotoError: the source cannot be read as a photo.
    """
    from PIL import Image

    name = source_name(source) if name is None else name
    if isinstance(source, np.ndarray):
        return _from_array(source, name, max_pixels)
    if isinstance(source, Image.Image):
        return _from_image(source, name, max_pixels)
    if isinstance(source, bytes):
        return _from_file(source, name, max_pixels)
    if isinstance(source, (str, os.PathLike)):
        return _from_file(_read_bytes(Path(source), name), name, max_pixels)
    raise PhotoError(f"A photo is a path, bytes, a PIL image or an RGB array, not {type(source).__name__}.")


def source_name(source: object) -> str:
    """Return what a reading calls its source."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    if isinstance(source, bytes):
        return "<bytes>"
    return "<array>" if isinstance(source, np.ndarray) else "<image>"


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """Resize ``(h, w, 3)`` uint8 pixels, antialiased bicubic."""
    from PIL import Image

    if pixels.shape[:2] == (height, width):
        return pixels
    # reducing_gap lets a large picture shrink in two steps, nearly free of loss.
    image = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)
    return np.asarray(image)


def _read_bytes(path: Path, name: str) -> bytes:
    try:
        # Asked before it is opened: a pipe would be waited for, a device may act.
        kind = not_a_file(path.stat().st_mode)
        if kind is not None and not (kind == "a pipe" and path.parent in _OWN_PIPES):
            raise PhotoError(f"{name} is {kind}, not a photo.")
        data = read_file(path, MAX_BYTES)
    except FileNotFoundError:
        raise PhotoError(f"{name} does not exist.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PhotoError(f"{name} cannot be opened: {reason}.") from None
    if not data:
        raise PhotoError(f"{name} is empty (0 bytes).")
    return data


class _Unwarned:
    """Keeps PIL's warnings from the user's terminal: our own limits are stricter and speak plainly.

    Python's filters of warnings belong to the whole process.  Where photos are unpacked in
    several threads the first one in changes them, and the last one out puts them back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = warnings.catch_warnings()
                self._before.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._before.__exit__(None, None, None)


_UNWARNED = _Unwarned()


def _from_file(data: bytes, name: str, most: int | None) -> Photo:
    from PIL import Image, UnidentifiedImageError

    if not data:
        raise PhotoError(f"{name} is empty (0 bytes).")
    formats = FORMATS + _heif_format(data, name)
    with _UNWARNED:
        try:
            with Image.open(io.BytesIO(data), formats=formats) as image:
                _check_scans(data, image, name)
                if image.format == "HEIF":
                    _check_pixels(*largest_extent(data), name, MAX_PIXELS if most is None else most)
                return _from_image(image, name, most, shrink=True)
        except PhotoError:
            raise
        except UnidentifiedImageError:
            raise PhotoError(
                f"{name} is not a picture that can be read (JPEG, PNG, WebP, GIF, BMP, TIFF or HEIC)."
            ) from None
        except Image.DecompressionBombError:
            raise PhotoTooLargeError(
                f"{name} has more pixels than can be unpacked safely; make it smaller first."
            ) from None
        except Exception as error:  # a damaged header, where a decoder says more than "not mine"
            raise PhotoError(f"{name} is damaged or cut short: {plainly(error)}.") from None


def _heif_format(data: bytes, name: str) -> tuple[str, ...]:
    if not is_heif(data):
        return ()
    try:
        import pillow_heif
    except ImportError:
        raise PhotoError(
            f"{name} is a HEIC picture: install the extra that reads them, pip install 'dogmood[heic]'."
        ) from None
    pillow_heif.register_heif_opener()
    return ("HEIF",)


def _from_image(image: PIL.Image.Image, name: str, most: int | None, shrink: bool = False) -> Photo:
    """Load a picture; ``shrink`` lets it change, so it is for pictures that we opened."""
    from PIL import Image

    width, height = image.size
    _check_size(width, height, image, name, most)
    try:
        if shrink and image.format in ("JPEG", "MPO"):
            share = max(width, height) / ENOUGH_SIDE
            image.draft(None, (max(1, int(width / share)), max(1, int(height / share))) if share > 1 else image.size)
        image.load()
        if image.format == "HEIF":
            width, height = image.size  # only now it is known
            _check_size(width, height, image, name, most)
        turn = _turn(image)
        upright = to_rgb(image, ENOUGH_SIDE if shrink else None)
        if turn is not None:
            upright = upright.transpose(Image.Transpose[turn])
        pixels = np.asarray(upright)
        taken = _taken(image)
    except PhotoError:
        raise
    except MemoryError:
        raise PhotoError(f"{name} is too large for this machine's memory; make it smaller first.") from None
    except Exception as error:  # decoders raise nearly anything on damaged files
        raise PhotoError(f"{name} is damaged or cut short: {plainly(error)}.") from None
    if turn in _SIDEWAYS:
        width, height = height, width
    return Photo(pixels=pixels, width=width, height=height, source=name, taken=taken)


def _turn(image: PIL.Image.Image) -> str | None:
    """Return how EXIF says that a loaded picture is turned upright; None where it stands so."""
    try:
        return _TURNS.get(int(image.getexif().get(_ORIENTATION, 1)))
    except Exception:  # EXIF too damaged to say: no reason to refuse the photo
        return None


def _taken(image: PIL.Image.Image) -> str | None:
    """Return EXIF's time of the shot, with its offset from UTC where it has one."""
    try:
        exif = image.getexif().get_ifd(_EXIF_IFD)
        when = datetime.strptime(str(exif[_TIME_OF_SHOT]).strip("\0 "), "%Y:%m:%d %H:%M:%S").isoformat()
        offset = str(exif.get(_OFFSET_OF_SHOT, "")).strip("\0 ")
    except Exception:  # no clock, or EXIF too damaged to say: no reason to refuse the photo
        return None
    return when + offset if re.fullmatch(r"[+-]\d\d:\d\d", offset) else when


def _check_scans(data: bytes, image: PIL.Image.Image, name: str) -> None:
    if image.format in ("JPEG", "MPO") and image.info.get("progressive"):
        scans = data.count(_START_OF_SCAN)
        if scans > min(_MOST_SCANS, max(16, MAX_SCAN_PIXELS // max(1, image.width * image.height))):
            raise PhotoError(f"{name} is a JPEG of {scans} passes, which takes too long; save it anew.")


def _check_size(width: int, height: int, image: PIL.Image.Image | None, name: str, most: int | None) -> None:
    skips_detail = image is not None and image.format in ("JPEG", "MPO") and not image.info.get("progressive")
    if most is None and not skips_detail:
        most = MAX_PIXELS
    _check_pixels(width, height, name, most)
    if min(width, height) < MIN_SIDE:
        raise PhotoError(
            f"{name} is {width} x {height} pixels: too small to show a dog (at least {MIN_SIDE} each way)."
        )


def _check_pixels(width: int, height: int, name: str, most: int | None) -> None:
    if most is not None and width * height > most:
        raise PhotoTooLargeError(
            f"{name} is {width} x {height}: over {most / 1e6:g} million pixels; make it smaller first."
        )


def _from_array(array: NDArray[np.generic], name: str, most: int | None) -> Photo:
    grey = array.ndim == 2
    if array.dtype != np.uint8 or not (grey or (array.ndim == 3 and array.shape[2] == 3)):
        raise PhotoError(f"{name} has shape {array.shape} and type {array.dtype}: a photo is (h, w, 3) uint8, RGB.")
    height, width = array.shape[:2]
    _check_size(width, height, None, name, most)
    pixels = np.stack([array] * 3, axis=-1) if grey else array
    return Photo(pixels=np.ascontiguousarray(pixels), width=width, height=height, source=name)
