from __future__ import annotations

import json
from importlib import resources

from jsonschema import Draft202012Validator

from dogmood.reading import json_schema

FILE = resources.files("dogmood") / "reading.schema.json"


def test_the_file_is_what_the_code_says() -> None:
    expected = json.dumps(json_schema(), indent=1) + "\n"
    assert FILE.read_text("utf-8") == expected, f"write the new schema to {FILE}"


def test_the_file_is_a_json_schema() -> None:
    Draft202012Validator.check_schema(json.loads(FILE.read_text("utf-8")))
