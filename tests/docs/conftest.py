"""What the tests of the pages share."""

from __future__ import annotations

from pathlib import Path

import pytest

from b24app.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with which the application can be built; nothing is called and nothing is stored."""
    return Settings(
        public_url="https://app.example.com",
        client_id="local.1.2",
        client_secret="the client's secret",
        secret_key="s" * 32,
        admin_token="a" * 32,
        database_url=f"sqlite:///{tmp_path}/b24app.db",
    )
