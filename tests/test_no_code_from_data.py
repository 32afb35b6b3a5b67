"""Nothing in the package turns data into code: no pickle, no eval, no shell."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import dogmood

SOURCES = sorted(Path(dogmood.__file__).parent.rglob("*.py"))

MODULES = {
    "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "code", "codeop", "runpy",
    "imp", "xmlrpc",
}  # fmt: skip
CALLS = {"eval", "exec", "compile", "__import__", "breakpoint"}
METHODS = {
    "os.system", "os.popen", "os.execv", "os.spawnv", "yaml.load", "yaml.unsafe_load", "yaml.full_load",
    "pandas.read_pickle", "pd.read_pickle", "numpy.loadtxt", "np.fromregex", "torch.jit.load", "torch.package",
    "torch.hub.load", "tempfile.mktemp", "tarfile.open", "shutil.unpack_archive", "etree.fromstring",
    "ElementTree.fromstring", "ElementTree.parse", "minidom.parseString",
}  # fmt: skip
"""By the names that they go by; an alias of another name would have to get past a reader."""

ANY_OWNER = {"extractall", "extract", "read_pickle", "to_pickle", "load_from_checkpoint"}
"""Methods that are refused whatever they belong to."""


def named(call: ast.Call) -> str:
    return ast.unparse(call.func)


def given(call: ast.Call, name: str) -> object:
    """Return the constant that a keyword is given, or the whole expression as text; None where it is not given."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value.value if isinstance(keyword.value, ast.Constant) else ast.unparse(keyword.value)
    return None


def wrong_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from (f"line {node.lineno}: import {name}" for name in names if {*name.split(".")} & MODULES)
        if isinstance(node, ast.Call) and (why := wrong_call(node)):
            yield f"line {node.lineno}: {why}"


def wrong_call(call: ast.Call) -> str | None:
    name = named(call)
    last = name.rpartition(".")[2]
    if name in CALLS or name in METHODS or last in ANY_OWNER:
        return name
    if name == "torch.load" and given(call, "weights_only") is not True:
        return "torch.load without weights_only=True"
    if given(call, "allow_pickle") not in (None, False):
        return f"{name} with allow_pickle"
    if name == "torch.save":
        return "torch.save, which pickles"
    if given(call, "shell") not in (None, False):
        return f"{name} with a shell"
    if name == "Image.open" and given(call, "formats") is None:
        return "Image.open without the formats that are let in"
    if (
        last in ("Environment", "Template")
        and "jinja" in name.lower() + ast.unparse(call)
        and not given(call, "autoescape")
    ):
        return f"{name} without autoescape"
    return None


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(SOURCES[0].parent)))
def test_a_module_never_runs_what_it_reads(path: Path) -> None:
    assert list(wrong_in(ast.parse(path.read_text("utf-8")))) == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle", "from pickle import loads", "import cloudpickle as c", "eval('1')", "exec(text)",
        "compile(a, b, c)",
        "import joblib", "from sklearn.externals import joblib", "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "torch.load(path, weights_only=flag)", "np.load(path, allow_pickle=True)", "np.load(path, allow_pickle=flag)",
        "subprocess.run(words, shell=True)", "os.system(word)", "yaml.load(text)", "archive.extractall(folder)",
        "Image.open(path)", "torch.save(net, path)", "tempfile.mktemp()",
    ],
)  # fmt: skip
def test_the_test_would_notice(code: str) -> None:
    assert list(wrong_in(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    ["torch.load(p, weights_only=True)", "np.load(p)", "np.load(p, allow_pickle=False)", "net.eval()",
     "re.compile('a')", "Image.open(p, formats=FORMATS)", "subprocess.run(words)"],
)  # fmt: skip
def test_and_lets_the_rest_be(code: str) -> None:
    assert list(wrong_in(ast.parse(code))) == []
