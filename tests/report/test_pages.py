# SPDX-License-Identifier: Apache-2.0
"""The golden comments in a browser, light and dark: every drawing is drawn, every text has contrast enough."""

import re
from pathlib import Path

import pages
import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMENTS = sorted((ROOT / "tests/golden/report").glob("*/comment.md"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_I9_every_comment_can_be_read(theme):
    comments = [path.read_text() for path in COMMENTS]
    found = pages.checked(comments, theme)
    assert found["errors"] == []
    assert found["drawn"] == sum(comment.count("```mermaid") for comment in comments) > 3
    assert found["contrast"] == []
    assert found["looked_at"] > 100


def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_drawings_colours_have_contrast():
    styles = set(re.findall(r"classDef (\w+) fill:(#\w{6}),stroke:#\w{6},color:(#\w{6})",
                            "".join(path.read_text() for path in COMMENTS)))
    assert len(styles) >= 5
    for name, fill, text in styles:
        assert contrast(fill, text) >= 4.5, name
