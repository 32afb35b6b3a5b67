"""Files that other programs read: git hooks, templates for issues and pull requests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml", reason="reads the files: pip install '.[test]'")

ROOT = Path(__file__).parents[1]
HOOKS = ROOT / ".pre-commit-config.yaml"
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))
ELEMENTS = {"markdown", "textarea", "input", "dropdown", "checkboxes"}


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


@pytest.fixture
def pre_commit() -> list[str]:
    pytest.importorskip("pre_commit", reason="checks the hooks: pip install '.[test]'")
    return [sys.executable, "-m", "pre_commit"]


def test_the_hooks_are_valid(pre_commit: list[str]) -> None:
    done = subprocess.run([*pre_commit, "validate-config", HOOKS], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_hooks_fetch_nothing() -> None:
    for repo in loaded(HOOKS)["repos"]:
        assert repo["repo"] == "local"
        assert {hook["language"] for hook in repo["hooks"]} <= {"system", "fail"}


def test_the_hooks_run_the_linters_of_make_lint() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8").replace("$(BIN)", ".venv/bin")
    for hook in loaded(HOOKS)["repos"][0]["hooks"]:
        if hook["language"] == "system":
            assert hook["entry"].replace(" --force-exclude", "") in makefile, hook["id"]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the hooks' settings, and linters where the hooks look for them."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "home"))
    place = tmp_path / "repository"
    (place / ".venv/bin").mkdir(parents=True)
    (place / ".venv/bin/ruff").symlink_to(Path(sys.executable).with_name("ruff"))
    shutil.copy(HOOKS, place)
    (place / "pyproject.toml").write_text("[tool.ruff]\nline-length = 120\n")
    (place / ".gitignore").write_text("/.venv/\n")
    subprocess.run(["git", "init", "--quiet"], cwd=place, check=True)
    return place


@pytest.mark.parametrize(
    ("hook", "name", "content", "passes"),
    [
        ("ruff-check", "good.py", "x = 1\n", True),
        ("ruff-check", "bad.py", "import os\n", False),
        ("ruff-format", "good.py", "x = 1\n", True),
        ("ruff-format", "bad.py", "x=1\n", False),
        ("no-photos", "rex.py", "x = 1\n", True),
        ("no-photos", "rex.jpg", "", False),
    ],
)
def test_the_hooks_stop_what_they_shall(
    hook: str, name: str, content: str, passes: bool, repository: Path, pre_commit: list[str]
) -> None:
    (repository / name).write_text(content)
    subprocess.run(["git", "add", "."], cwd=repository, check=True)
    done = subprocess.run([*pre_commit, "run", hook, "--files", name], cwd=repository, capture_output=True, text=True)
    assert (done.returncode == 0) is passes, done.stdout + done.stderr


@pytest.mark.parametrize("path", [form for form in FORMS if form.name != "config.yml"], ids=lambda path: path.stem)
def test_a_form_has_what_github_asks_for(path: Path) -> None:
    form = loaded(path)
    assert form.keys() <= {"name", "description", "title", "labels", "body"}
    assert form["name"]
    assert form["description"]
    names = [element["id"] for element in form["body"] if element["type"] != "markdown"]
    assert names
    assert len(names) == len(set(names))
    for element in form["body"]:
        assert element["type"] in ELEMENTS
        assert element.keys() <= {"type", "id", "attributes", "validations"}
        attributes = element["attributes"]
        assert attributes["value" if element["type"] == "markdown" else "label"]
        if element["type"] in ("dropdown", "checkboxes"):
            assert attributes["options"]


def test_every_form_is_looked_at() -> None:
    assert {form.stem for form in FORMS} == {"config", "bug", "wrong_reading", "wish"}
    assert loaded(ROOT / ".github/ISSUE_TEMPLATE/config.yml") == {"blank_issues_enabled": True}


def test_what_the_templates_point_to_is_there() -> None:
    for path in [*FORMS, ROOT / ".github/PULL_REQUEST_TEMPLATE.md"]:
        for place in path.read_text("utf-8").split("../blob/main/")[1:]:
            assert (ROOT / place.partition(")")[0]).is_file()
