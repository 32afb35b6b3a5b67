"""Bodies, names and headers of any kind: an answer of JSON that the document knows, never a fault."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from dogmood.bundle import SHIPPED
from dogmood.web.app import PAGE, create_app
from dogmood.web.readers import Readers
from dogmood.web.settings import Settings
from mutations import damaged
from pictures import corners, encoded

LONG = 20 if "DOGMOOD_LONG" in os.environ else 1
PHOTO = encoded(corners(), "PNG")
KNOWN = {200, 400, 413, 415, 422}
HEADERS = {"host": "127.0.0.1:8000"}

FORM = (
    b'--dog\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
    b'--dog\r\nContent-Disposition: form-data; name="photo"; filename="rex.png"\r\nContent-Type: image/png\r\n\r\n'
    + PHOTO
    + b"\r\n--dog--\r\n"
)
KINDS = st.sampled_from([
    "", "image/png", "image/", "image/*", "application/octet-stream", "application/json", "text/plain", "a", ";",
    "\xff", "im\tage/png", "a\x1b[2J\0b",
    "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=dog",
    "multipart/form-data; boundary=cat", 'multipart/form-data; boundary="dog"', "multipart/form-data; boundary=d\xf6g",
    "multipart/form-data; boundary=dog; charset=none", "multipart/form-data; charset=undefined; boundary=dog",
    'multipart/form-data; boundary=dog; charset="punycode', "multipart/form-data; boundary=" + "x" * 300,
    "multipart/mixed; boundary=dog", "application/x-www-form-urlencoded",
])  # fmt: skip


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    fast = Settings(model="fast", max_bytes=20_000, keep=tmp_path_factory.mktemp("kept"))
    with TestClient(create_app(fast, Readers(fast)), base_url="http://127.0.0.1:8000") as client:
        yield client


def expect(answer: Any) -> None:
    assert answer.status_code in KNOWN
    assert answer.headers["content-type"] == "application/json"
    whole = answer.json()
    assert answer.status_code == 200 or (whole["detail"].endswith(".") and whole["detail"].isprintable())


@settings(max_examples=200 * LONG)
@given(kind=KINDS, body=damaged(FORM) | damaged(PHOTO) | st.binary(max_size=300))
def test_any_body_of_any_kind(client: TestClient, kind: str, body: bytes) -> None:
    expect(client.post("/v1/read", content=body, headers={"content-type": kind.encode("latin-1")}))


@settings(max_examples=100 * LONG)
@given(name=st.text(max_size=400), field=st.text(min_size=1, max_size=20))
def test_any_name_in_a_form(client: TestClient, name: str, field: str) -> None:
    name, field = (text.encode("utf-8", "replace").decode() for text in (name, field))
    answer = client.post("/v1/read", files={field: (name, PHOTO)})
    expect(answer)
    if answer.status_code == 200:
        assert not {"/", "\\", "\0", "\n", "\x1b"} & set(answer.json()["source"])


@settings(max_examples=100 * LONG)
@given(
    st.dictionaries(
        st.sampled_from(["name", "explain", "emotions", "model", "keep", "lenient", "plain", "other"]),
        st.text(max_size=60) | st.sampled_from(["true", "fast", "base", "anger,fear", "../fast", "1", "off"]),
    )
)
def test_any_parameters(client: TestClient, parameters: dict[str, str]) -> None:
    plain = {key: value.encode("utf-8", "replace").decode() for key, value in parameters.items()}
    expect(client.post("/v1/read", params=plain, content=PHOTO))


@pytest.mark.parametrize("length", ["9" * 5000, "9" * 18, "20001", "-1", "1e9", "\xb2", ""])
def test_lengths_that_lie(client: TestClient, length: str) -> None:
    answer = asyncio.run(answered(client.app, [b"x" * 100], length))
    assert answer in ((413,) if length.startswith(("9", "2")) else (415,))


def test_a_body_without_an_end_is_cut_off(client: TestClient) -> None:
    assert asyncio.run(answered(client.app, [b"x" * 1000] * 100, "")) == 413


@pytest.mark.parametrize("charset", ["undefined", "punycode", "idna", "utf-16", "latin-1", "none"])
def test_names_in_a_form_are_utf_8_whatever_is_said(client: TestClient, charset: str) -> None:
    form = FORM.replace(b"rex.png", "Ünchen 犬.png".encode())
    for kind in (f"charset={charset}; boundary=dog", f'boundary=dog; charset="{charset}"'):
        answer = client.post("/v1/read", content=form, headers={"content-type": f"multipart/form-data; {kind}"})
        assert (answer.status_code, answer.json()["source"]) == (200, "Ünchen 犬.png")


@pytest.mark.parametrize(
    ("kind", "part"), [("image/png", PHOTO[:100]), ("multipart/form-data; boundary=dog", FORM[:99])]
)
def test_a_sender_that_leaves_in_the_middle_is_no_fault(client: TestClient, kind: str, part: bytes) -> None:
    assert asyncio.run(answered(client.app, [part], "", kind, leaves=True)) == 499
    assert client.get("/v1/health").json()["busy"] == 0


async def answered(app: Any, parts: list[bytes], length: str, kind: str = "", leaves: bool = False) -> int:
    """Speak to the app as a server does that lets any header through; return the status."""
    sent: list[dict[str, Any]] = []
    left = [*parts]

    async def receive() -> dict[str, Any]:
        if not left and leaves:
            return {"type": "http.disconnect"}
        if not left:  # whoever asks whether the client has left waits
            await asyncio.Event().wait()
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left) or leaves}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1:8000"), (b"content-length", length.encode("latin-1"))]
    headers.append((b"content-type", kind.encode()))
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/v1/read", "raw_path": b"/v1/read", "query_string": b"", "root_path": "", "headers": headers,
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    with contextlib.suppress(asyncio.CancelledError):
        await app(scope, receive, send)
    return int(sent[0]["status"])


ELSEWHERE = [
    "../pyproject.toml", "..%2f..%2fapp.py", "%2e%2e/app.py", "....//app.py", "..\\app.py", "/etc/passwd",
    "//etc/passwd", "%00", "js/../../app.py", "js/%2e%2e/%2e%2e/security.py", "~", "C:\\windows",
]  # fmt: skip


@pytest.mark.parametrize("where", ["/page/", "/docs/", "/"])
@pytest.mark.parametrize("path", ELSEWHERE)
def test_no_address_leads_out_of_the_page_s_folder(client: TestClient, where: str, path: str) -> None:
    found = asyncio.run(fetched(client.app, where + path))
    inside = {file.read_bytes() for file in PAGE.rglob("*") if file.is_file()}
    assert found[0] in (400, 404, 405) or found[1] in inside


async def fetched(app: Any, path: str) -> tuple[int, bytes]:
    """Ask for a path as it stands: clients would tidy it up first."""
    from urllib.parse import unquote

    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": unquote(path), "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", b"127.0.0.1:8000")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    await app(scope, receive, send)
    return int(sent[0]["status"]), b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize(
    "model", [str(SHIPPED / "fast.dogmood"), "../models/fast", "fast.dogmood", "/etc/passwd", "", "fast\0", "\x1b[2J"]
)
def test_a_model_is_named_never_a_path(client: TestClient, model: str) -> None:
    answer = client.post("/v1/read", params={"model": model}, content=PHOTO)
    assert answer.status_code == 422
    assert "There is no model" in answer.json()["detail"]
    assert answer.json()["detail"].isprintable()


def test_what_is_kept_has_names_of_ours(client: TestClient) -> None:
    folder: Path = client.app.state.desk.keep.folder  # type: ignore[attr-defined]
    before = set(folder.parent.rglob("*"))
    for name in ("../../climbed.png", "/tmp/absolute.png", "..\\up.png", "a\0b.png", "con.png"):
        assert client.post("/v1/read", params={"name": name}, content=PHOTO).status_code == 200
    new = set(folder.parent.rglob("*")) - before
    assert len(new) == 10
    assert {path.parent for path in new} == {folder}
    assert all(path.stem[:8].isdecimal() and path.suffix in (".png", ".json") for path in new)
