"""Valid scenario files for the tests of words."""

from __future__ import annotations

import pytest

from tests.words.files import BARE, FIVE_LINES, IN_FULL


@pytest.fixture(params=[FIVE_LINES, BARE, IN_FULL], ids=["five lines", "bare", "in full"])
def file(request: pytest.FixtureRequest) -> str:
    """The text of a valid scenario file."""
    text: str = request.param
    return text
