"""What the demonstration leaves running for whoever clicks."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from b24app.core.text import LANGS, Lang
from demo.together import together


@pytest.mark.parametrize("lang", LANGS)
def test_the_portal_is_left_in_the_language_of_the_story(tmp_path: Path, lang: Lang) -> None:
    with together(tmp_path) as both:
        both.let_run(lang)
        page = requests.get(f"{both.portal_address}/crm/deal/", timeout=10).text

    assert f'<html lang="{lang}">' in page
