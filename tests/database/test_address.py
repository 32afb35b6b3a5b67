from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogmood.database.address import has_scheme, parse_address
from dogmood.errors import UsageError


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        ("sqlite:///readings.db", True),
        ("postgresql://rex@kennel/dogs", True),
        ("mysql://rex@kennel/dogs", True),
        ("readings.csv", False),
        ("C:\\readings.csv", False),
        ("a/b://c.csv", False),
        (Path("sqlite:///readings.db"), False),
    ],
)
def test_addresses_and_paths_are_told_apart(out: str | Path, expected: bool) -> None:
    assert has_scheme(out) is expected


@pytest.mark.parametrize(
    ("text", "shown", "name", "file"),
    [
        ("sqlite:///readings.db", "sqlite:///readings.db", "readings.db", Path("readings.db")),
        ("SQLite:////srv/a b.db", "sqlite:////srv/a b.db", "a b.db", Path("/srv/a b.db")),
        ("postgresql://rex@kennel/dogs", "postgresql://rex@kennel/dogs", "dogs", None),
        ("postgres://rex:b0ne@kennel:99/dogs?sslmode=require", "postgresql://rex@kennel:99/dogs", "dogs", None),
        ("postgresql://rex:b%40ne@[::1]/dogs", "postgresql://rex@[::1]/dogs", "dogs", None),
        ("postgresql:///dogs?host=/tmp&password=b0ne", "postgresql:///dogs", "dogs", None),
        ("postgresql://kennel/../../dogs", "postgresql://kennel/../../dogs", "dogs", None),
        ("postgresql://kennel", "postgresql://kennel/", "postgresql", None),
    ],
)
def test_addresses_are_shown_without_password(text: str, shown: str, name: str, file: Path | None) -> None:
    address = parse_address(text)
    assert (address.shown, address.name, address.file) == (shown, name, file)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("mysql://rex:b0ne@kennel/dogs", "begins with sqlite:/// or postgresql://"),
        ("sqlite+aiosqlite:///readings.db", "begins with sqlite:/// or postgresql://"),
        ("sqlite://readings.db", "three slashes"),
        ("sqlite://rex:b0ne@/readings.db", "three slashes"),
        ("sqlite:///", "three slashes"),
        ("sqlite:///:memory:", "three slashes"),
        ("sqlite:///file:x?mode=ro&uri=true", "three slashes"),
        ("sqlite:///which?.db", "without a question mark"),
        ("sqlite:////tmp", "/tmp is a folder"),
        ("postgresql://rex:b0ne@b0ne@kennel/dogs", "%40"),
        ("postgresql://rex:b0ne@kennel:b0ne/dogs", "cannot be understood"),
    ],
)
def test_other_addresses_are_one_sentence_that_tells_no_secret(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as refused:
        parse_address(text)
    assert "b0ne" not in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@given(
    st.sampled_from(["postgresql", "postgres", "sqlite", "mysql"]),
    st.text(st.characters(exclude_characters="\0"), max_size=20),
    st.text(st.characters(exclude_characters="\0"), max_size=20),
)
def test_whatever_is_typed_the_password_is_not_told(scheme: str, before: str, after: str) -> None:
    secret = "Wh1skers"
    try:
        address = parse_address(f"{scheme}://rex:{secret}{before}@{after}")
        told = [address.shown, repr(address), address.told(f"no entry for {address.url.password}\n.")]
    except UsageError as error:
        told = [str(error)]
    assert not [words for words in told if secret in words]


def test_without_the_extra_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['sqlalchemy'] = None; from dogmood.cli import main; "
        "main(['read', 'rex.jpg', '--out', 'sqlite:///x.db'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "A database needs the extra 'database': pip install 'dogmood[database]'.\n"
