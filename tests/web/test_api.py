from __future__ import annotations

import base64
import io
import json
import random
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from clients import Client
from fastapi.testclient import TestClient
from PIL import Image

from dogmood import DogMood
from dogmood.emotions import COLOURS, EMOTIONS
from dogmood.errors import ModelError
from dogmood.photo import open_photo
from dogmood.picture import annotated
from dogmood.reading import COLUMNS, json_schema
from dogmood.web.openapi import reading_schema
from pictures import UNREADABLE, corners, encoded, png_bomb, truncated_jpeg


def test_the_answer_is_what_the_command_line_writes(client: TestClient, dogmood: DogMood, bull_mastiff: Path) -> None:
    expected = dogmood.read(bull_mastiff).to_dict() | {"source": "rex.jpg"}
    form = client.post("/v1/read", files={"photo": ("rex.jpg", bull_mastiff.read_bytes())})
    assert (form.status_code, form.json()) == (200, expected)
    raw = client.post("/v1/read", content=bull_mastiff.read_bytes(), headers={"content-type": "image/jpeg"})
    assert raw.json() == expected | {"source": "photo"}
    named = client.post("/v1/read", params={"name": "../rex.jpg"}, content=bull_mastiff.read_bytes())
    assert named.json() == expected
    jsonschema.validate(raw.json(), json_schema())


def test_any_field_name_and_further_text_fields_will_do(client: TestClient, cottage: Path) -> None:
    files = {"image": ("hut.jpg", cottage.read_bytes(), "text/plain")}
    answer = client.post("/v1/read", files=files, data={"note": "hello"})
    assert (answer.json()["status"], answer.json()["source"]) == ("no_dog", "hut.jpg")


def test_explain_adds_a_map_for_each_emotion(client: TestClient, dogmood: DogMood, bull_mastiff: Path) -> None:
    data = bull_mastiff.read_bytes()
    (dog,) = client.post("/v1/read?explain=true", content=data).json()["dogs"]
    expected = dogmood.read(data, explain=True).dogs[0].saliency
    assert expected is not None
    assert list(dog["saliency"]) == list(EMOTIONS)
    for emotion, url in dog["saliency"].items():
        kind, _, packed = url.partition(",")
        assert kind == "data:image/png;base64"
        with Image.open(io.BytesIO(base64.b64decode(packed))) as image:
            assert image.mode == "L"
            assert np.abs(np.asarray(image) / 255 - expected[emotion]).max() < 1 / 255
    whole = client.post("/v1/read?explain=true", content=data).json()
    jsonschema.validate(whole, reading_schema())
    jsonschema.validate(whole, json_schema())


def test_emotions_may_be_chosen(client: TestClient, bull_mastiff: Path) -> None:
    (dog,) = client.post("/v1/read?emotions=angry,sad", content=bull_mastiff.read_bytes()).json()["dogs"]
    assert list(dog["probabilities"]) == ["anger", "sadness"]
    assert sum(dog["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    # The next request, without a word, chooses from all again.
    (dog,) = client.post("/v1/read", content=bull_mastiff.read_bytes()).json()["dogs"]
    assert list(dog["probabilities"]) == list(EMOTIONS)


def test_a_model_is_named_never_a_path(client: TestClient, cottage: Path, tmp_path: Path) -> None:
    named = client.post("/v1/read?model=base", content=cottage.read_bytes())
    assert named.json()["model"]["name"] == "base"
    for name in ("grand", str(tmp_path), "../base", ""):
        answer = client.post("/v1/read", params={"model": name}, content=cottage.read_bytes())
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith(f"There is no model {name!r} here: choose from base")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("emotions=anger,boredom", "'boredom' is no emotion known here"),
        ("emotions=anger", "Choose at least two emotions"),
        ("explain=perhaps", "The parameter explain is wrong"),
    ],
)
def test_wrong_parameters_get_one_sentence(client: TestClient, query: str, sentence: str, cottage: Path) -> None:
    answer = client.post(f"/v1/read?{query}", content=cottage.read_bytes())
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(sentence)


STATUS = {"text.jpg": 415, "film.jpg": 415, "bomb.png": 413}


@pytest.mark.parametrize("name", UNREADABLE)
def test_files_that_are_no_photos_get_a_status_and_the_command_line_s_sentence(
    client: TestClient, dogmood: DogMood, name: str
) -> None:
    data, sentence = UNREADABLE[name]
    answer = client.post("/v1/read", files={"photo": (name, data)})
    assert answer.status_code == STATUS.get(name, 422)
    assert f"{name} {sentence}" in answer.json()["detail"]
    assert answer.json()["reading"] == dogmood.unreadable(name, answer.json()["detail"]).to_dict()
    lenient = client.post("/v1/read?lenient=true", files={"photo": (name, data)})
    assert (lenient.status_code, lenient.json()) == (200, answer.json()["reading"])


def test_a_photo_may_have_so_many_pixels(client_of: Client) -> None:
    client = client_of(max_pixels=10_000)
    assert client.post("/v1/read", content=encoded(corners(100, 100), "PNG")).status_code == 200
    for form in ("PNG", "JPEG", "GIF"):
        answer = client.post("/v1/read", content=encoded(corners(101, 100), form))
        assert answer.status_code == 413
        assert "is 101 x 100: over 0.01 million pixels" in answer.json()["detail"]


@pytest.mark.parametrize("way", ["declared", "chunked", "form"])
def test_a_photo_may_have_so_many_bytes(client_of: Client, way: str, cottage: Path) -> None:
    data = cottage.read_bytes()
    for most, status in ((len(data), 200), (len(data) - 1, 413)):
        client = client_of(max_bytes=most)
        if way == "form":
            answer = client.post("/v1/read", files={"photo": data})
        else:
            answer = client.post("/v1/read", content=data if way == "declared" else iter([data[:9000], data[9000:]]))
        assert answer.status_code == status
        assert status == 200 or "larger than" in answer.json()["detail"]


def test_a_form_that_is_too_large_is_refused_before_it_is_all_there(client_of: Client) -> None:
    answer = client_of(max_bytes=1000).post("/v1/read", files={"photo": b"\xff\xd8\xff" * 100_000})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("kind", "body", "status", "sentence"),
    [
        ("application/x-www-form-urlencoded", b"a=b", 415, "photo is not a picture"),
        ("text/plain", b"woof", 415, "A body of type text/plain"),
        ("image/png", b"", 422, "photo is empty"),
        ("multipart/form-data", b"", 400, "The form is damaged"),
        ("multipart/form-data; boundary=x", b"--y\r\n", 400, "The form is damaged"),
        ("multipart/form-data; boundary=x", b"--x--\r\n", 422, "Send one photo a request"),
    ],
)
def test_bodies_without_a_photo_are_refused(
    client: TestClient, kind: str, body: bytes, status: int, sentence: str
) -> None:
    answer = client.post("/v1/read", content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert answer.json()["detail"].startswith(sentence)


def test_parameters_in_the_form_are_not_overlooked(client: TestClient, cottage: Path) -> None:
    answer = client.post("/v1/read", files={"photo": cottage.read_bytes()}, data={"emotions": "anger,fear"})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "Put emotions into the address, ?emotions=..., not into the form."


def test_two_photos_in_one_request_are_refused(client: TestClient, cottage: Path) -> None:
    answer = client.post("/v1/read", files=[("photo", cottage.read_bytes()), ("photo", cottage.read_bytes())])
    assert answer.status_code == 422
    assert "this one has 2" in answer.json()["detail"]


def test_damaged_bytes_never_break_the_server(client: TestClient, cottage: Path) -> None:
    chance = random.Random(0)
    good = [encoded(corners(40, 40), form) for form in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")]
    for data in good * 5:
        bad = bytearray(data)
        for _ in range(chance.randrange(1, 20)):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        answer = client.post("/v1/read", content=bytes(bad[: chance.randrange(1, len(bad) + 1)]))
        assert answer.status_code in (200, 413, 415, 422)
        jsonschema.validate(answer.json().get("reading", answer.json()), json_schema())


def test_the_picture_is_the_command_line_s(client: TestClient, dogmood: DogMood, bull_mastiff: Path) -> None:
    data = bull_mastiff.read_bytes()
    answer = client.post("/v1/picture", content=data)
    assert answer.headers["content-type"] == "image/png"
    expected = annotated(open_photo(data), dogmood.read(data, explain=True))
    with Image.open(io.BytesIO(answer.content)) as image:
        assert np.array_equal(np.asarray(image), np.asarray(expected))
    with Image.open(io.BytesIO(client.post("/v1/picture?plain=true", content=data).content)) as image:
        assert np.array_equal(np.asarray(image), open_photo(data).pixels)


@pytest.mark.parametrize(("data", "status"), [(b"woof", 415), (truncated_jpeg(), 422), (png_bomb(), 413)])
def test_no_picture_of_what_is_none(client: TestClient, data: bytes, status: int) -> None:
    assert client.post("/v1/picture", content=data).status_code == status


def test_health_and_model(client: TestClient, dogmood: DogMood) -> None:
    health = client.get("/v1/health").json()
    assert (health["status"], health["busy"], health["places"]) == ("ok", 0, 18)
    told = client.get("/v1/model").json()
    assert {key: told[key] for key in ("name", "version", "sha256")} == vars(dogmood.model)
    assert told["emotions"] == COLOURS
    assert list(told["columns"].items()) == [(name, kind.__name__) for name, kind in COLUMNS.items()]
    assert told["models"][0] == "base"
    assert told["keeps"] is False


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/nothing", 404), ("GET", "/v1/read", 405)])
def test_wrong_addresses_get_one_sentence(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert "/docs" in answer.json()["detail"]


def test_the_openapi_document_describes_what_is_answered(client: TestClient, bull_mastiff: Path) -> None:
    document = client.get("/openapi.json").json()
    assert set(document["paths"]) == {"/v1/read", "/v1/picture", "/v1/history", "/v1/health", "/v1/model"}
    read = document["paths"]["/v1/read"]["post"]
    assert {p["name"] for p in read["parameters"]} >= {"explain", "emotions", "model", "keep", "lenient"}
    assert set(read["responses"]) >= {"200", "408", "413", "415", "422", "429", "503"}
    assert {"multipart/form-data", "image/*"} <= set(read["requestBody"]["content"])
    schema = {"$ref": "#/components/schemas/Reading", "components": document["components"]}
    jsonschema.validate(client.post("/v1/read?explain=1", content=bull_mastiff.read_bytes()).json(), schema)
    for path in ("health", "model"):
        described = document["paths"][f"/v1/{path}"]["get"]["responses"]["200"]["content"]["application/json"]
        jsonschema.validate(client.get(f"/v1/{path}").json(), described["schema"])
    problem = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
    jsonschema.validate(client.post("/v1/read", content=b"woof").json(), problem)


def test_docs_ask_no_other_site(client: TestClient) -> None:
    for path in ("/", "/docs", "/page/style.css", "/page/js/docs.js", "/page/js/main.js"):
        text = client.get(path).text
        assert "//" not in text.replace("// ", "").replace("http://localhost", "").replace("http://www.w3.org", "")
    assert client.get("/docs/swagger-ui-bundle.js").status_code == 200
    assert client.get("/docs/redoc.standalone.js").status_code == 404
    assert client.get("/docs/..%2f__init__.py").status_code == 404


def test_fault_of_the_server_is_one_sentence(client_of: Client, cottage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of()
    client = TestClient(client.app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False)
    monkeypatch.setattr(DogMood, "read_photo", lambda *_: 1 / 0)
    answer = client.post("/v1/read", content=cottage.read_bytes())
    assert (answer.status_code, list(answer.json())) == (500, ["detail"])
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_network_that_fails_is_told_and_logged(
    client: TestClient, cottage: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ModelError("A network of the model cannot be computed (out of memory); get its file again.")

    monkeypatch.setattr(DogMood, "read_photo", fail)
    answer = client.post("/v1/read", content=cottage.read_bytes())
    assert (answer.status_code, answer.json()["detail"].split(":")[0]) == (
        503,
        "The model cannot answer now; send the photo again later.",
    )
    assert "out of memory" in caplog.text


def test_json_has_the_same_figures_as_the_reading_itself(client: TestClient, dogmood: DogMood, cottage: Path) -> None:
    answer = client.post("/v1/read", content=cottage.read_bytes())
    assert json.loads(answer.content) == dogmood.read(cottage).to_dict() | {"source": "photo"}
