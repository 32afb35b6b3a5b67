from __future__ import annotations

from pathlib import Path

import pytest

from postgres import postgresql

__all__ = ["postgresql"]


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new, empty database: of each kind once."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'readings.db'}"
    return str(request.getfixturevalue("postgresql").new())
