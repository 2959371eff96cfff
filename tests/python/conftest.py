"""What every test is given."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from cli import Weighbridge

# The same examples in every run, no folder of remembered ones, and no verdict on time.
settings.register_profile("repeatable", derandomize=True, database=None, deadline=None, max_examples=60)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def weighbridge() -> Weighbridge:
    """The program, from the environment variable WEIGHBRIDGE_CLI."""
    return Weighbridge(os.environ["WEIGHBRIDGE_CLI"])
