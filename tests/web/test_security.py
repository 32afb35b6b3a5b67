from __future__ import annotations

from pathlib import Path

import pytest
from clients import Client
from fastapi.testclient import TestClient

from dogmood import UsageError
from dogmood.web.settings import Settings, is_loopback

TOKEN = "correct horse battery staple"


@pytest.mark.parametrize("path", ["/", "/docs", "/page/style.css", "/page/js/main.js", "/v1/health", "/nothing"])
def test_every_answer_carries_the_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "//" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["permissions-policy"].startswith("camera=(self), microphone=()")
    assert headers["cache-control"] == ("no-store" if path.startswith("/v1") else "no-cache")
    assert "server" not in headers
    assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost:1", "LocalHost", "[::1]:8000"])
def test_names_of_this_machine_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/v1/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:8000", "127.0.0.1.nip.io", "192.168.0.1", "", "[x"]
)
def test_other_names_are_not(client: TestClient, host: str) -> None:
    for path in ("/", "/v1/model"):
        answer = client.get(path, headers={"host": host})
        assert answer.status_code == 400
        assert answer.json()["detail"].startswith("This server answers to localhost and 127.0.0.1 only")


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8000", 200),
        ("https://evil.example", 403),
        ("http://127.0.0.1:9000", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_photos_come_from_our_own_page_only(client: TestClient, origin: str, status: int, cottage: Path) -> None:
    answer = client.post("/v1/read", content=cottage.read_bytes(), headers={"origin": origin})
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://shelter.example", "HTTPS://Shelter.Example", "https://shelter.example:443"]
)
def test_another_origin_may_be_let_in(client_of: Client, cottage: Path, origin: str) -> None:
    client = client_of(origins=(origin,), token=TOKEN)
    asked = {
        "origin": "https://shelter.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type",
    }
    before = client.options("/v1/read", headers=asked)
    assert before.status_code == 200
    assert before.headers["access-control-allow-origin"] == "https://shelter.example"
    headers = {"origin": "https://shelter.example", "authorization": f"Bearer {TOKEN}"}
    answer = client.post("/v1/read", content=cottage.read_bytes(), headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://shelter.example"
    # A refusal can be read there too.
    assert (
        "access-control-allow-origin" in client.post("/v1/read", headers={"origin": "https://shelter.example"}).headers
    )
    other = client.post("/v1/read", content=b"x", headers=headers | {"origin": "https://evil.example"})
    assert other.status_code == 403


@pytest.mark.parametrize(
    "brought", [None, "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN]
)
def test_without_the_token_nothing_is_told(client_of: Client, brought: str | None, cottage: Path) -> None:
    client = client_of(token=TOKEN)
    headers = {} if brought is None else {"authorization": brought}
    for answer in (
        client.get("/v1/model", headers=headers),
        client.post("/v1/read", content=cottage.read_bytes(), headers=headers),
        client.get("/v1/nothing", headers=headers),
    ):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="dogmood"'
        assert answer.json() == {"detail": "This server asks for a token: send it as 'Authorization: Bearer TOKEN'."}


def test_with_the_token_all_is_as_without_one(client_of: Client, cottage: Path) -> None:
    client = client_of(token=TOKEN)
    for scheme in ("Bearer", "bearer"):
        headers = {"authorization": f"{scheme} {TOKEN}"}
        assert client.get("/v1/model", headers=headers).status_code == 200
        assert client.post("/v1/read", content=cottage.read_bytes(), headers=headers).status_code == 200
    # The page must be there to ask for the token, and monitors ask after health.
    for path in ("/", "/docs", "/openapi.json", "/v1/health"):
        assert client.get(path).status_code == 200
    document = client.get("/openapi.json").json()
    assert "bearer" in str(document["components"]["securitySchemes"])
    paths = {path: next(iter(operations.values())) for path, operations in document["paths"].items()}
    security = {path: operation.get("security", document["security"]) for path, operation in paths.items()}
    assert [path for path, asked in security.items() if not asked] == ["/v1/health"]
    # A name that is not ours is refused everywhere.
    assert all("400" in operation["responses"] for operation in paths.values())


def test_with_a_token_other_machines_names_are_answered(client_of: Client) -> None:
    client = client_of(host="0.0.0.0", token=TOKEN)
    answer = client.get("/v1/model", headers={"host": "box.lan:8000", "authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "box.lan"])
def test_other_machines_need_a_token(host: str) -> None:
    with pytest.raises(UsageError, match=r"lets other machines in.*--token"):
        Settings(host=host).check()
    Settings(host=host, token=TOKEN).check()


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.8.8.8", True), ("::1", True), ("localhost", True), ("10.0.0.1", False)]
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"token": ""}, "--token"),
        ({"token": "  "}, "--token"),
        ({"token": "Hündchen"}, "--token"),
        ({"token": "sec ret "}, "--token"),
        ({"token": " secret"}, "--token"),
        ({"token": "two\nlines"}, "--token"),
        ({"workers": 0}, "at least 1"),
        ({"waiting": -1}, "at least 0"),
        ({"timeout": float("nan")}, "--timeout"),
        ({"timeout": 0}, "--timeout"),
        ({"origins": ("shelter.example",)}, "--cors-origin"),
        ({"origins": ("https://shelter.example/",)}, "--cors-origin"),
    ],
)
def test_unsafe_or_impossible_settings_are_refused(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Settings(**wrong).check()  # type: ignore[arg-type]
