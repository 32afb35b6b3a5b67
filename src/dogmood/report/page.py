"""The page itself: HTML that is complete in itself, without script or request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path

from dogmood import __version__
from dogmood.atomic import atomic_write
from dogmood.emotions import COLOURS, EMOTIONS
from dogmood.errors import UsageError
from dogmood.report.gather import FAILURES, Gathered, gather
from dogmood.report.moments import Moment
from dogmood.report.thumbnails import thumbnail
from dogmood.stored import origin_of, rows_in
from dogmood.timeline import Series, clock, timeline_svg

_VIDEOS, _DOGS, _DAYS = 30, 8, 60
"""Most videos, dogs of each, and days that are drawn; the page says what is left out."""

_DAY = 86_400.0


@dataclass(frozen=True)
class Section:
    """A part of the page with its heading."""

    name: str
    title: str
    body: str

    def to_html(self) -> str:
        """Return the part; its heading names it for those who hear the page."""
        head = f'<h2 id="{self.name}-title">{self.title}</h2>'
        return f'<section id="{self.name}" aria-labelledby="{self.name}-title">{head}{self.body}</section>'


def write_report(readings: str | Path, page: Path | None = None) -> Path:
    """Write a page about stored readings.

    Args:
        readings: what ``dogmood read --out`` wrote: a file's path, that of a folder of
            shards, or a database's address.
        page: where to; unless given, a file of the readings' name with the ending
            ``.html``, beside the file or folder of readings, or here for a database
            server's.

    Raises:
        UsageError: there are no readings, or the page cannot be written.
    """
    origin = origin_of(readings)
    path = origin.page if page is None else page
    found = gather(rows_in(readings))
    if not (found.photos or found.frames or found.failed):
        raise UsageError(f"{origin.shown} holds no readings yet.")
    text = report_page(origin.name, found, origin.folder)
    with atomic_write(path, text=True) as file:
        file.write(text)
    return path


def report_page(name: str, found: Gathered, folder: Path) -> str:
    """Return the page; whatever names hold, they are shown as text.

    Args:
        name: of the file or database of readings.
        found: what it came to.
        folder: where photos and videos are looked for beside their own paths.
    """
    sections = [section for section in _sections(found, folder) if section.body]
    links = "".join(f'<li><a href="#{section.name}">{section.title}</a></li>' for section in sections)
    parts = "".join(section.to_html() for section in sections)
    models = ", ".join(found.models) or "unknown"
    style = resources.files("dogmood.report").joinpath("page.css").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(name)}: what the dogs showed</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#main">To the readings</a>\n'
        f"<header><h1>{escape(name)}: what the dogs showed</h1>"
        f'<p class="note">dogmood {__version__}, model {escape(models)}. It reads a visible expression; it does not '
        "diagnose, and no reading promises that a dog is safe.</p>"
        f'<nav aria-label="On this page"><ul>{links}</ul></nav></header>\n<main id="main">\n{parts}\n</main>\n'
        "</body>\n</html>\n"
    )


def _sections(found: Gathered, folder: Path) -> Iterable[Section]:
    yield Section("counts", "Counts", _counts(found))
    for kind, words in (
        ("anger", "The surest first. Of a video, each stretch is shown by the moment that says it best."),
        ("fear", "The surest first. Of a video, each stretch is shown by the moment that says it best."),
        ("doubt", "Readings that are not sure, the closest calls first: look at these yourself."),
    ):
        moments, count = found.moments.of(kind)
        title = {"anger": "Moments of anger", "fear": "Moments of fear", "doubt": "To be checked by a person"}[kind]
        yield Section(kind, title, _moments(moments, count, words, folder))
    yield Section("videos", "Videos over time", _videos(found))
    yield Section("days", "Photos by day", _days(found))
    yield Section("failures", "What could not be read", _failures(found))


def _counts(found: Gathered) -> str:
    rows = []
    if found.photos:
        c = found.photos
        rows.append(("photos", c.total(), c["read"], c["no_dog"], c["unreadable"]))
    if found.frames:
        c = found.frames
        what = "1 video" if found.videos == 1 else f"{found.videos:,} videos"
        rows.append((f"frames of {what}", c.total(), c["read"], c["no_dog"], c["unreadable"]))
    bad = f" Videos that could not be read: {found.bad_videos:,}." if found.bad_videos else ""
    table = _table(
        f"What was read.{bad}",
        ("", "all", "with a dog", "without", "unreadable"),
        [(str(name), *(f"{n:,}" for n in counts)) for name, *counts in rows],
    )
    if not found.dogs:
        return table
    columns = [(what, counts) for what, counts in (("photos", found.of_photos), ("frames", found.of_frames)) if counts]
    emotions = [
        (emotion, *(cell for _, c in columns for cell in (f"{c[emotion]:,}", f"{c[emotion] / c.total():.1%}")))
        for emotion in EMOTIONS
    ]
    heads = [head for what, _ in columns for head in (f"dogs in {what}", "share")]
    sure = f"{found.sure:,} of {found.dogs:,} readings of dogs ({found.sure / found.dogs:.1%}) are sure."
    return table + _table(f"The likeliest emotion. {sure}", ("", *heads), emotions)


def _moments(moments: Sequence[Moment], count: int, words: str, folder: Path) -> str:
    if not moments:
        return ""
    more = f" {len(moments):,} of {count:,} are shown." if count > len(moments) else ""
    items = "".join(_moment(moment, folder) for moment in moments)
    return f'<p class="note">{words}{more}</p><ul class="thumbs">{items}</ul>'


def _moment(moment: Moment, folder: Path) -> str:
    picture = thumbnail(moment, folder)
    name = escape(Path(moment.source).name)
    said = f"{moment.emotion} {moment.probability:.0%}"
    if picture is None:
        why = (
            "sent to the page: its photo was not kept with the reading"
            if moment.sent
            else "no longer where it was read"
        )
        shown = f'<span class="none">{why}</span>'
    else:
        shown = f'<img src="{picture}" alt="Dog {moment.dog} of {name}">'
    swatch = f'<span class="swatch" style="background:{COLOURS[moment.emotion]}"></span>'
    doubt = "" if moment.sure else f"not sure: {escape(' or '.join(moment.possible))}<br>"
    where = f"{_when(moment)}{escape(moment.source)}, dog {moment.dog}"
    return f"<li>{shown}<strong>{swatch}{said}</strong>{doubt}{where}</li>"


def _when(moment: Moment) -> str:
    if moment.time is not None and moment.start is not None and moment.end is not None:
        if moment.end - moment.start < 0.05:
            return f"at {clock(moment.time)}<br>"
        return f"{clock(moment.start)} to {clock(moment.end)}, shown at {clock(moment.time)}<br>"
    return "" if moment.taken is None else f"{escape(moment.taken.replace('T', ' '))}<br>"


def _videos(found: Gathered) -> str:
    if not found.tracks:
        return ""
    parts = [_key("Each column stacks the probabilities; where the dog is not seen, nothing is drawn.")]
    videos = sorted(found.tracks.items())
    for source, dogs in videos[:_VIDEOS]:
        parts.append(f"<h3>{escape(source)}</h3>")
        longest = sorted(dogs.items(), key=lambda item: item[1].first - item[1].last)
        for track, series in sorted(longest[:_DOGS]):
            parts.append(_figure(series, f"{source}, dog {track}", f"Dog {track}", 0.0, found.ends[source]))
        if len(dogs) > _DOGS:
            parts.append(f'<p class="note">The {_DOGS} dogs seen longest of {len(dogs):,} are drawn.</p>')
    if len(videos) > _VIDEOS:
        parts.append(f'<p class="note">The first {_VIDEOS} of {len(videos):,} videos are drawn.</p>')
    return "".join(parts)


def _days(found: Gathered) -> str:
    if not found.days:
        return ""
    parts = [_key("Photos by the camera's clock; each column is the mean of the dogs in its photos.")]
    days = sorted(found.days.items())
    for day, series in days[-_DAYS:]:
        parts.append(_figure(series, f"Photos of {day}", day, 0.0, _DAY, label=_hour))
    if len(days) > _DAYS:
        parts.append(f'<p class="note">The last {_DAYS} of {len(days):,} days are drawn.</p>')
    if found.undated:
        parts.append(f'<p class="note">{found.undated:,} dogs are in photos that do not say when they were taken.</p>')
    return "".join(parts)


def _hour(seconds: float) -> str:
    return f"{round(seconds) // 3600}:{round(seconds) % 3600 // 60:02d}"


def _figure(
    series: Series, title: str, caption: str, start: float, end: float, label: Callable[[float], str] = clock
) -> str:
    told = ", ".join(f"{emotion} {share:.0%}" for emotion, share in series.shares().items() if share >= 0.005)
    svg = timeline_svg(series, title, start, end, label)
    return f"<figure>{svg}<figcaption>{escape(caption)}: {told}</figcaption></figure>"


def _key(words: str) -> str:
    keys = "".join(f'<li><span class="swatch" style="background:{c}"></span>{e}</li>' for e, c in COLOURS.items())
    return f'<p class="note">{words}</p><ul class="key">{keys}<li><span class="line"></span>sure</li></ul>'


def _failures(found: Gathered) -> str:
    if not found.failures:
        return ""
    more = f" The first {FAILURES} of {found.failed:,} are listed." if found.failed > FAILURES else ""
    return _table(f"Each with its reason.{more}", ("photo or video", "reason"), found.failures, "words")


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], look: str = "") -> str:
    heads = "".join(f'<th scope="col">{escape(name)}</th>' if name else "<td></td>" for name in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    told = escape(caption)
    # It can be wider than a phone: a frame that scrolls, with the keyboard too.
    return (
        f'<p class="note">{told}</p><div class="wide" tabindex="0" role="region" aria-label="{told}">'
        f'<table class="{look}"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'
    )
