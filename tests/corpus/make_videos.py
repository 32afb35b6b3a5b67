"""Make the malformed and odd videos of the corpus: `python tests/corpus/make_videos.py`.

Every file is small and drawn here; none shows a dog.  What is expected of each stands in
`tests/test_corpus.py`.
"""

from __future__ import annotations

import struct
import sys
import tempfile
from pathlib import Path

import av
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
from clips import make_clip, no_frames, sound_only, steady, still
from pictures import corners, encoded

HERE = Path(__file__).parent
SECRET = "secret.mp4"
"""A file that some of the others name; tests put a good video there."""


def clip(name: str, seconds: float = 0.4, codec: str = "mpeg4", size: tuple[int, int] = (64, 48)) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return make_clip(Path(folder, name), steady(seconds, 10), still(corners(*size)), codec=codec).read_bytes()


def written(name: str, make: object) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return make(Path(folder, name)).read_bytes()  # type: ignore[operator]


def box(data: bytes, kind: bytes) -> int:
    """Return where the content of an MP4's box begins."""
    return data.index(kind) + 4


def put(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def in_box(data: bytes, kind: bytes, offset: int, form: str, *values: int) -> bytes:
    """Change numbers in a box, ``offset`` bytes after its name."""
    return put(data, box(data, kind) + offset, struct.pack(form, *values))


def elsewhere(data: bytes) -> bytes:
    """Say that an MP4's pictures lie in another file (ISO/IEC 14496-12, 8.7.2)."""
    # 'url ' with flags 1 (in this file) becomes one of the same length with a location.
    at = data.index(b"dref") - 4
    size = struct.unpack(">I", data[at : at + 4])[0]
    location = SECRET.encode() + b"\0"
    entry = struct.pack(">I4sI", 12 + len(location), b"url ", 0) + location
    new = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry
    return grown(data, at, size, new)


def grown(data: bytes, at: int, size: int, new: bytes) -> bytes:
    """Replace a box within moov/trak/mdia/minf/dinf by a longer one; pictures' places are left as they were."""
    more = len(new) - size
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        start = data.index(kind) - 4
        data = put(data, start, struct.pack(">I", struct.unpack(">I", data[start : start + 4])[0] + more))
    return data[:at] + new + data[at + size :]


def cut_many_times(data: bytes, edits: int, samples: int) -> bytes:
    """Have an MP4 show all of its pictures over and over (8.6.6)."""
    data = in_box(in_box(data, b"stsz", 4, ">II", 1, samples), b"stsc", 12, ">I", samples)
    at = data.index(b"elst") - 4
    new = struct.pack(">I4sII", 16 + 12 * edits, b"elst", 0, edits) + data[at + 16 : at + 28] * edits
    more = len(new) - struct.unpack(">I", data[at : at + 4])[0]
    for kind in (b"moov", b"trak", b"edts"):
        start = data.index(kind) - 4
        data = put(data, start, struct.pack(">I", struct.unpack(">I", data[start : start + 4])[0] + more))
    return data[:at] + new + data[at + len(new) - more :]


def fragment(samples: int) -> bytes:
    """An MP4 in fragments, one of which says in a few bytes that it has many pictures (8.8.8)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.mp4")
        with av.open(str(path), "w", options={"movflags": "frag_keyframe+empty_moov"}) as container:
            stream = container.add_stream("mpeg4", rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for _ in range(4):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(corners(64, 48)), format="rgb24")))
            container.mux(stream.encode())
        data = path.read_bytes()
    return in_box(data, b"trun", 1, ">BBBI", 0, 0, 1, samples)  # nothing is said of each


def ebml_lie(data: bytes, kind: bytes, value: bytes) -> bytes:
    """Change the value of an element of a Matroska file."""
    return put(data, data.index(kind) + len(kind), value)


def late(seconds: float) -> bytes:
    """A Matroska file whose second picture is said to come much later."""
    with tempfile.TemporaryDirectory() as folder:
        return make_clip(Path(folder, "a.mkv"), [0.0, seconds], still(corners(64, 48)), codec="libvpx").read_bytes()


def odd_codec() -> bytes:
    """A film in a codec that no camera writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.avi")
        with av.open(str(path), "w") as container:
            stream = container.add_stream("zmbv", rate=5)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "bgr0"
            frame = av.VideoFrame.from_ndarray(np.asarray(corners(64, 48)), format="rgb24")
            container.mux(stream.encode(frame.reformat(format="bgr0")))
            container.mux(stream.encode())
        return path.read_bytes()


def made() -> dict[str, bytes]:
    """Return every video by its name."""
    mp4, mkv, avi = clip("a.mp4"), clip("a.mkv"), clip("a.avi")
    return {
        "whole.mp4": mp4,
        "whole.mkv": mkv,
        "empty.mp4": b"",
        "words.mp4": b"once upon a time there was a dog\n" * 20,
        "head-alone.mp4": mp4[:40],
        "cut-before-its-index.mp4": mp4[: mp4.index(b"mdat") - 60],
        "pictures-cut-off.mp4": mp4[: mp4.index(b"mdat") + 8],
        "box-of-four-billion.mp4": put(mp4, mp4.index(b"moov") - 4, b"\xff\xff\xff\xff"),
        "box-of-no-length.mp4": put(mp4, mp4.index(b"trak") - 4, b"\0\0\0\0"),
        "says-65535-square.mp4": in_box(mp4, b"mp4v", 24, ">HH", 65535, 65535),
        "samples-of-four-billion.mp4": in_box(mp4, b"stsz", 8, ">I", 0xFFFFFFFF),
        "samples-of-one-byte.mp4": in_box(mp4, b"stsz", 4, ">II", 1, 30_000_000),
        "samples-in-a-fragment.mp4": fragment(30_000_000),
        "samples-in-a-free-box.mp4": in_box(mp4, b"stsz", 4, ">II", 1, 30_000_000).replace(b"moov", b"free"),
        "samples-over-and-over.mp4": cut_many_times(mp4, 5000, 2000),
        "header-compressed.mp4": mp4.replace(b"mvhd", b"cmov"),
        "samples-beyond-the-end.mp4": in_box(mp4, b"stco", 8, ">I", 0xFFFFFF00),
        "lasts-for-ages.mp4": in_box(in_box(mp4, b"mdhd", 16, ">I", 0x7FFFFFFF), b"mvhd", 16, ">I", 0x7FFFFFFF),
        "clock-of-nothing.mp4": in_box(mp4, b"mdhd", 12, ">I", 0),
        "turned-by-junk.mp4": in_box(mp4, b"tkhd", 40, ">9i", *([0x7FFFFFFF] * 9)),
        "pictures-elsewhere.mp4": elsewhere(mp4),
        "fifty-tracks.mp4": mp4.replace(b"trak", b"free"),
        "pictures-of-junk.mp4": mp4[: mp4.index(b"mdat") + 4] + b"\xff" * (len(mp4) - mp4.index(b"mdat") - 4),
        "cut.mkv": mkv[: len(mkv) // 2],
        "cluster-of-junk.mkv": mkv[: mkv.index(b"\x1f\x43\xb6\x75") + 12] + b"\xff" * 900,
        "says-huge.mkv": ebml_lie(ebml_lie(mkv, b"\xb0\x81", b"\xff"), b"\xba\x81", b"\xff"),
        "eleven-days-later.mkv": late(1e6),
        "element-of-ages.mkv": mkv[:60] + b"\x01\xff\xff\xff\xff\xff\xff\xfe" + mkv[68:],
        "cut.avi": avi[: len(avi) // 2],
        "index-of-junk.avi": avi[: avi.index(b"idx1") + 8] + b"\xff" * (len(avi) - avi.index(b"idx1") - 8),
        "rate-of-nothing.avi": put(avi, avi.index(b"strh") + 4 + 24, struct.pack("<II", 0, 0)),
        "chunk-of-four-billion.avi": put(avi, avi.index(b"movi") + 8, b"\xff\xff\xff\xff"),
        "odd-codec.avi": odd_codec(),
        "sound-alone.mp4": written("a.mp4", sound_only),
        "no-pictures.avi": written("a.avi", no_frames),
        "packets-of-junk.ts": (b"\x47\x40\0\x10" + b"\xff" * 184) * 20,
        "start-codes-of-junk.mpg": b"\0\0\1\xba" + b"\0\0\1\xb3" + b"\xff" * 600,
        "tags-of-junk.flv": b"FLV\1\5\0\0\0\x09\0\0\0\0" + b"\x09\xff\xff\xff" * 40,
        "pages-of-junk.ogv": b"OggS\0\2" + b"\xff" * 400,
        "a-photo.mp4": encoded(corners(64, 64), "PNG"),
        "a-dance.mp4": encoded(corners(), "GIF", save_all=True, append_images=[Image.new("RGB", (60, 40))]),
        # Files that name other files and addresses.
        "playlist.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{SECRET}\n#EXT-X-ENDLIST\n".encode(),
        "playlist-with-key.ts": (
            b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXT-X-KEY:METHOD=AES-128,URI=\"file:///etc/passwd\"\n#EXTINF:5,\n"
            b"http://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"
        ),
        "playlist-of-text.avi": (
            b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\nconcat:/etc/passwd|subfile,,start,0,end,99,,:/etc/passwd"
            b"\n#EXT-X-ENDLIST\n"
        ),
        "pieces.mp4": f"ffconcat version 1.0\nfile '{SECRET}'\n".encode(),
        "manifest.mp4": (
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet><Representation>'
            f"<BaseURL>{SECRET}</BaseURL></Representation></AdaptationSet></Period></MPD>"
        ).encode(),
        "session.mp4": (
            b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 9 RTP/AVP 96\r\n"
            b"a=rtpmap:96 H264/90000\r\n"
        ),
        "references.wmv": b"ASF http://127.0.0.1:9/a.asf\r\n[Reference]\r\nRef1=http://127.0.0.1:9/a.asf\r\n",
        "script.mp4": b'[playlist]\nFile1=' + SECRET.encode() + b"\n",
        "edit-list.mp4": b"# mpv EDL v0\n" + SECRET.encode() + b"\n",
    }  # fmt: skip


if __name__ == "__main__":
    for name, data in made().items():
        (HERE / name).write_bytes(data)
