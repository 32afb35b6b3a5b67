"""The pages about the Python interface are made without a warning, and tell of all that is public."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dogmood

ROOT = Path(__file__).parents[1]

pytest.importorskip("pdoc", reason="makes the pages: pip install '.[test]'")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("docs")
    command = [sys.executable, ROOT / "tools/api_docs.py", place]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return place


@pytest.mark.parametrize("name", dogmood.__all__)
def test_every_public_name_is_there(name: str, pages: Path) -> None:
    assert f'id="{name}"' in (pages / "dogmood.html").read_text("utf-8")


@pytest.mark.parametrize("name", [name for name in dogmood.__all__ if inspect.isclass(getattr(dogmood, name))])
def test_every_public_class_and_method_says_what_it_does(name: str) -> None:
    public = getattr(dogmood, name)
    assert public.__doc__
    for method, found in inspect.getmembers(public, inspect.isfunction):
        if not method.startswith("_"):
            assert found.__doc__, f"{name}.{method} says nothing"


def test_arguments_are_a_list_not_plain_text(pages: Path) -> None:
    text = (pages / "dogmood.html").read_text("utf-8")
    assert re.search(r'<h6 id="arguments">', text)
    assert "Args:" not in text


def test_the_pages_ask_no_other_site(pages: Path) -> None:
    for page in pages.rglob("*.html"):
        text = page.read_text("utf-8")
        assert not re.findall(r'(?:src|srcset)="(?:https?:)?//', text)
        assert not re.findall(r'<link[^>]*href="(?:https?:)?//', text)


def test_nothing_of_the_machine_is_inside(pages: Path) -> None:
    for file in (path for path in pages.rglob("*") if path.is_file()):
        assert str(ROOT) not in file.read_text("utf-8")


def test_the_lab_needs_no_place_in_them(pages: Path) -> None:
    names = {page.stem for page in (pages / "dogmood").glob("*.html")}
    assert {"reader", "reading", "emotions", "errors", "photo"} <= names
    assert not names & {"lab", "cli", "web"}
