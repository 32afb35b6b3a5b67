from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path

import pytest
from clients import Client

from dogmood import UsageError
from dogmood.web.keep import Keep


def test_nothing_is_stored_unless_asked_for(
    client_of: Client, bull_mastiff: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # What a form spills to is a file without a name: only its making can be seen.
    spilled: list[object] = []
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: spilled.append(1) or BytesIO())
    client = client_of()
    # Larger than what forms usually hold in memory.
    photo = bull_mastiff.read_bytes() + bytes(3_000_000)
    assert client.post("/v1/read", files={"photo": ("rex.jpg", photo)}).status_code == 200
    assert client.post("/v1/picture", content=photo).status_code == 200
    assert list(tmp_path.iterdir()) == []
    assert spilled == []


def test_photo_and_reading_are_kept_under_names_of_ours(client_of: Client, bull_mastiff: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    client = client_of(keep=folder)
    answer = client.post("/v1/read?explain=1", files={"photo": ("../../rex.png", bull_mastiff.read_bytes())})
    photo, reading = sorted(folder.iterdir())
    photo, reading = (photo, reading) if photo.suffix == ".jpg" else (reading, photo)
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}\.jpg", photo.name)
    assert photo.read_bytes() == bull_mastiff.read_bytes()
    assert reading.name == photo.with_suffix(".json").name
    kept = json.loads(reading.read_text(encoding="utf-8"))
    assert kept["source"] == "rex.png"
    told = answer.json()
    for dog in told["dogs"]:
        del dog["saliency"]
    assert kept == told
    assert list(tmp_path.iterdir()) == [folder]
    assert client.get("/v1/model").json()["keeps"] is True


def test_a_request_may_ask_not_to_be_kept_and_broken_files_are_not(
    client_of: Client, cottage: Path, tmp_path: Path
) -> None:
    client = client_of(keep=tmp_path)
    assert client.post("/v1/read?keep=false", content=cottage.read_bytes()).status_code == 200
    assert client.post("/v1/read", content=b"woof").status_code == 415
    assert client.post("/v1/picture", content=cottage.read_bytes()).status_code == 200
    assert list(tmp_path.iterdir()) == []


def test_each_photo_gets_a_name_of_its_own(client_of: Client, cottage: Path, tmp_path: Path) -> None:
    client = client_of(keep=tmp_path)
    for _ in range(3):
        client.post("/v1/read", content=cottage.read_bytes())
    assert len(list(tmp_path.iterdir())) == 6


def test_a_folder_that_is_gone_is_told(client_of: Client, cottage: Path, tmp_path: Path) -> None:
    client = client_of(keep=tmp_path / "kept")
    (tmp_path / "kept").rmdir()
    answer = client.post("/v1/read", content=cottage.read_bytes())
    assert answer.status_code == 507
    assert "could not be kept" in answer.json()["detail"]


def test_a_folder_that_cannot_be_made_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be made"):
        Keep(tmp_path / "file" / "kept")
