"""Make the malformed and odd pictures of the corpus: `python tests/corpus/make_pictures.py`.

Every file is small and drawn here; none shows a dog.  What is expected of each stands in
`tests/test_corpus.py`.  HEIC files are drawn where the extra `heic` is installed.
"""

from __future__ import annotations

import importlib.util
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
import heics
from pictures import corners, encoded, png_bomb, text_bomb

HERE = Path(__file__).parent
PNG = b"\x89PNG\r\n\x1a\n"


def noise(width: int = 40, height: int = 32, mode: str = "RGB") -> Image.Image:
    bands = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, bands), dtype=np.uint8)
    return Image.frombytes(mode, (width, height), pixels.tobytes())


def chunk(kind: bytes, data: bytes = b"", crc: int | None = None) -> bytes:
    found = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", found)


def png(
    *chunks: bytes, width: int = 32, height: int = 32, depth: int = 8, colour: int = 0, data: bytes | None = None
) -> bytes:
    """A PNG whose chunks stand between its header and its pixels."""
    raw = b"\0" * (height * (1 + (width * depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 1) + 7) // 8))
    packed = zlib.compress(raw, 9) if data is None else data
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return PNG + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IDAT", packed) + chunk(b"IEND")


def apng(x: int, frames: int) -> bytes:
    """An animated PNG whose second frame lies at x."""
    control = chunk(b"acTL", struct.pack(">II", frames, 0))
    first = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 32, 32, 0, 0, 1, 10, 0, 0))
    second = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 1, 32, 32, x, 0, 1, 10, 0, 0))
    pixels = chunk(b"fdAT", struct.pack(">I", 2) + zlib.compress(b"\0" * 33 * 32))
    whole = png(control, first)
    return whole[:-12] + second + pixels + whole[-12:]


def jpeg(**options: object) -> bytes:
    return encoded(noise(), "JPEG", quality=60, **options)


def resized_jpeg(width: int, height: int, source: bytes | None = None) -> bytes:
    """A JPEG whose header gives another size."""
    data = bytearray(source or jpeg())
    at = next(data.find(b"\xff" + bytes([kind])) for kind in (0xC0, 0xC2) if data.find(b"\xff" + bytes([kind])) > 0)
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def many_scans(count: int) -> bytes:
    """A progressive JPEG whose last pass comes again and again."""
    data = encoded(noise(16, 16, "L"), "JPEG", quality=10, progressive=True)
    at = data.rfind(b"\xff\xda")
    return data[:at] + data[at:-2] * count + data[-2:]


def exif_jpeg(block: bytes) -> bytes:
    return jpeg(exif=b"Exif\0\0" + block)


def directory(*entries: tuple[int, int, int, int], after: int = 0) -> bytes:
    """A TIFF directory: tag, type, count and value or offset of each entry."""
    return (
        struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *e) for e in entries) + struct.pack("<I", after)
    )


def tiff(*entries: tuple[int, int, int, int], after: int = 0, pixels: int = 1024) -> bytes:
    """A grey TIFF of 32 x 32 whose entries are replaced by those given."""
    plain = {
        256: (4, 1, 32), 257: (4, 1, 32), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 273: (4, 1, 8),
        277: (3, 1, 1), 278: (4, 1, 32), 279: (4, 1, 1024),
    }  # fmt: skip
    plain |= {tag: (kind, count, value) for tag, kind, count, value in entries}
    body = b"\x80" * pixels
    return (
        b"II*\0"
        + struct.pack("<I", 8 + pixels)
        + body
        + directory(*((t, *plain[t]) for t in sorted(plain)), after=after)
    )


def gif(screen: tuple[int, int], frame: tuple[int, int, int, int], pixels: bytes = b"\x02\x16") -> bytes:
    """A GIF of two colours with one frame: x, y, width, height."""
    header = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return (
        header
        + b","
        + struct.pack("<HHHHB", *frame, 0)
        + pixels
        + b"\x8c\x2d\x99\x87\x2a\x1c\xdc\x33\xa0\x02\x75\xec\x95\xfa\xa8\xde\x60\x8c\x04\x91\x4c\x01\0;"
    )


def bmp(width: int = 32, height: int = 32, bits: int = 24, how: int = 0, colours: int = 0, offset: int = 54) -> bytes:
    body = b"\x40" * (32 * 32 * 3)
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, how, 0, 2835, 2835, colours, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, offset) + header + body


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(k + struct.pack("<I", len(d)) + d + b"\0" * (len(d) % 2) for k, d in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def canvas(width: int, height: int, flags: int = 0) -> tuple[bytes, bytes]:
    return b"VP8X", bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def animated(form: str, frames: int) -> bytes:
    pictures = [Image.new("RGB", (32, 32), (8 * i % 256, 40, 90)) for i in range(frames)]
    return encoded(pictures[0], form, save_all=True, append_images=pictures[1:], duration=20)


def floats(top: float, bad: float) -> bytes:
    values = np.linspace(0, top, 32 * 32, dtype=np.float32).reshape(32, 32)
    values[0, :3] = (bad, -bad, np.nan)
    return encoded(Image.fromarray(values), "TIFF")


def orientation(value: int, name: int = 0x0112) -> Image.Exif:
    exif = Image.Exif()
    exif[name] = value
    return exif


def made() -> dict[str, bytes]:
    """Return every picture by its name."""
    plain, transparent = jpeg(), noise(mode="RGBA")
    return {
        # JPEG
        "header-only.jpg": plain[:20],
        "cut-in-pixels.jpg": plain[: len(plain) * 3 // 4],
        "says-65500-square.jpg": resized_jpeg(65500, 65500),
        "says-12000-square.jpg": resized_jpeg(12000, 12000),
        "says-zero.jpg": resized_jpeg(0, 0),
        "progressive-says-12000-square.jpg": resized_jpeg(12000, 12000, jpeg(progressive=True)),
        "a-thousand-passes.jpg": many_scans(1000),
        "no-tables.jpg": plain[:2] + plain[plain.index(b"\xff\xc0") :],
        "twelve-bits.jpg": plain.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"),
        "arithmetic.jpg": plain.replace(b"\xff\xc0\0\x11", b"\xff\xc9\0\x11"),
        "lossless.jpg": plain.replace(b"\xff\xc0\0\x11", b"\xff\xc3\0\x11"),
        "segment-of-no-length.jpg": plain[:2] + b"\xff\xe1\0\0" + plain[2:],
        "segment-beyond-the-end.jpg": plain[:2] + b"\xff\xe1\xff\xff" + plain[2:],
        "exif-loops.jpg": exif_jpeg(b"II*\0\x08\0\0\0" + directory((0x8769, 4, 1, 8), (0x8825, 4, 1, 8), after=8)),
        "exif-of-four-billion.jpg": exif_jpeg(
            b"II*\0\x08\0\0\0" + directory((0x0112, 3, 0xFFFFFFFF, 6), (0x010E, 2, 0xFFFFFFF0, 8))
        ),
        "exif-turns-by-text.jpg": exif_jpeg(b"II*\0\x08\0\0\0" + directory((0x0112, 2, 4, 0x41414141))),
        "exif-turns-by-99.jpg": jpeg(exif=orientation(99)),
        "exif-of-junk.jpg": exif_jpeg(b"MM\0*" + b"\xff" * 400),
        "exif-full.jpg": exif_jpeg(b"II*\0\x08\0\0\0" + directory(*((tag, 4, 1, tag) for tag in range(500)))),
        "icc-of-junk.jpg": jpeg(icc_profile=b"\xff" * 300),
        "comments.jpg": plain[:2] + (b"\xff\xfe\0\x07\x1b[31m") * 500 + plain[2:],
        "cmyk.jpg": encoded(noise(mode="CMYK"), "JPEG"),
        "html-after.jpg": plain + b"<script>alert(1)</script>",
        "mpo-lies.jpg": encoded(noise(), "MPO", save_all=True, append_images=[noise()])[: len(plain) + 200],
        # PNG
        "pixel-bomb.png": png_bomb(),
        "flate-bomb.png": png(width=40, height=40, data=zlib.compress(b"\0" * 4_000_000, 9)),
        "comment-bomb.png": text_bomb(),
        "profile-bomb.png": png(chunk(b"iCCP", b"x\0\0" + zlib.compress(b"\0" * 2_000_000, 9))),
        "itxt-bomb.png": png(chunk(b"iTXt", b"k\0\1\0\0\0" + zlib.compress(b"a" * 2_000_000, 9))),
        "bilevel-9000-square.png": png(width=9000, height=9000, depth=1),
        "bad-sum.png": png(chunk(b"tEXt", b"a\0b", crc=7)),
        "no-pixels.png": PNG + chunk(b"IHDR", struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0)) + chunk(b"IEND"),
        "no-header.png": PNG + chunk(b"IDAT", zlib.compress(b"\0" * 1056)) + chunk(b"IEND"),
        "no-palette.png": png(colour=3),
        "three-bits.png": png(depth=3),
        "zero-wide.png": png(width=0),
        "header-of-four-billion.png": PNG + b"\xff\xff\xff\xffIHDR" + bytes(40),
        "pixels-of-junk.png": png(data=b"\xff" * 200),
        "animated-out-of-bounds.png": apng(4_000_000, 2),
        "animated-says-four-billion.png": apng(0, 0xFFFFFFFF),
        "sixteen-bits.png": encoded(Image.fromarray(np.arange(1024, dtype=np.uint16).reshape(32, 32) * 64), "PNG"),
        "transparent.png": encoded(transparent, "PNG"),
        "palette.png": encoded(noise().convert("P"), "PNG", transparency=0),
        "cut.png": encoded(noise(), "PNG")[:-400],
        "exif-loops.png": png(chunk(b"eXIf", b"II*\0\x08\0\0\0" + directory((0x8769, 4, 1, 8), after=8))),
        # GIF
        "says-65535-square.gif": gif((65535, 65535), (0, 0, 16, 16)),
        "frame-outside.gif": gif((32, 32), (60000, 60000, 32, 32)),
        "pixels-of-junk.gif": gif((32, 32), (0, 0, 32, 32), b"\x0c\xff"),
        "no-frame.gif": b"GIF89a" + struct.pack("<HHBBB", 32, 32, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff;",
        "animated.gif": animated("GIF", 30),
        "script.gif": b"GIF89a/*" + bytes(3) + b"*/=1;alert(1)",
        # WebP
        "says-16384-square.webp": webp(canvas(16384, 16384, 2), (b"ANIM", bytes(6))),
        "canvas-without-frame.webp": webp(canvas(64, 64)),
        "animated-without-frame.webp": webp(canvas(64, 64, 2), (b"ANIM", bytes(6))),
        "cut.webp": encoded(noise(), "WEBP")[:120],
        "animated.webp": animated("WEBP", 12),
        "transparent.webp": encoded(transparent, "WEBP"),
        # BMP
        "negative.bmp": bmp(height=-(2**31)),
        "upside-down.bmp": bmp(height=-32),
        "says-two-billion.bmp": bmp(width=2**31 - 1, height=2**31 - 1),
        "runs-of-junk.bmp": bmp(bits=8, how=1, offset=60),
        "palette-of-four-billion.bmp": bmp(bits=8, colours=0xFFFFFFFF),
        "pixels-beyond-the-end.bmp": bmp(offset=0xFFFFFF),
        "seven-bits.bmp": bmp(bits=7),
        # TIFF
        "plain.tiff": tiff(),
        "pages-loop.tiff": tiff(after=8 + 1024),
        "pages-beyond-the-end.tiff": tiff(after=0xFFFFFF),
        "strips-beyond-the-end.tiff": tiff((273, 4, 1, 0xFFFFFFF0)),
        "strips-of-four-billion.tiff": tiff((273, 4, 0xFFFFFFFF, 8), (279, 4, 0xFFFFFFFF, 8)),
        "says-four-billion.tiff": tiff((256, 4, 1, 0xFFFFFFFF), (257, 4, 1, 0xFFFFFFFF)),
        "rows-of-none.tiff": tiff((278, 4, 1, 0)),
        "tiles-of-two-billion.tiff": tiff(
            (322, 4, 1, 0x7FFFFFF0), (323, 4, 1, 0x7FFFFFF0), (324, 4, 1, 8), (325, 4, 1, 1024)
        ),
        "flate-of-junk.tiff": tiff((259, 3, 1, 8)),
        "jpeg-of-junk.tiff": tiff((259, 3, 1, 7)),
        "fax-of-junk.tiff": tiff((258, 3, 1, 1), (259, 3, 1, 4)),
        "lzw-of-junk.tiff": tiff((259, 3, 1, 5)),
        "compression-of-nobody.tiff": tiff((259, 3, 1, 54321)),
        "turned.tiff": tiff((274, 3, 1, 6)),
        "floats.tiff": floats(1.0, np.inf),
        "floats-to-1e38.tiff": floats(1e38, np.inf),
        "many-pages.tiff": encoded(noise(20, 20), "TIFF", save_all=True, append_images=[noise(20, 20)] * 8),
        "lab.tiff": encoded(noise(mode="LAB"), "TIFF"),
        "cmyk.tiff": encoded(noise(mode="CMYK"), "TIFF"),
        "bare-header.tiff": b"II*\0\x08\0\0\0",
        # others
        "empty.jpg": b"",
        "words.jpg": b"once upon a time there was a dog",
        "page.jpg": b"<!doctype html><img src=http://127.0.0.1:9/x.jpg>",
        "drawing.jpg": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        "postscript.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n(x) (w) file\n",
        "document.jpg": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n",
        "photoshop.jpg": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 64, 64, 8, 3) + bytes(40),
        "icon.jpg": encoded(corners(64, 64), "ICO"),
        "targa.jpg": encoded(noise(), "TGA"),
        "brand-alone.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        "brand-and-junk.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\xff" * 200,
        "dot.png": encoded(Image.new("RGB", (1, 1)), "PNG"),
        "thread.png": encoded(Image.new("RGB", (1, 5000)), "PNG"),
        "ribbon.png": png(width=60000, height=16),
        **(heics.malformed() if importlib.util.find_spec("pillow_heif") else {}),
    }  # fmt: skip


if __name__ == "__main__":
    for name, data in made().items():
        (HERE / name).write_bytes(data)
