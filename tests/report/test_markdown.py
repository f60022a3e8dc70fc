"""The comment on a pull request: complete, and nothing in a name breaks out of it."""

from __future__ import annotations

import re

from simulator.report.markdown import cell, markdown
from tests.report.comparing import hostile, plain


def test_it_has_the_verdict_the_objectives_the_table_and_what_would_be_missed() -> None:
    text = markdown(hostile(), "deploysim compare mine.yaml -n 40 --seed 1")
    assert "Recommended: blue_green" in text
    assert "| canary (planned) |" in text
    assert "**What canary would miss.** Of all bad releases canary catches" in text
    assert "```sh\ndeploysim compare mine.yaml -n 40 --seed 1\n```" in text
    judged = [line for line in text.splitlines() if line.endswith((" ✓ kept |", "decided |"))]
    assert any("kept, not decided" in line for line in judged)


def test_names_stand_for_themselves() -> None:
    text = markdown(hostile())
    html = [tag for tag in re.findall(r"(?<!\\)<[^>]*>", text) if tag != "<br>"]
    assert html == [text.splitlines()[-1]]
    assert "@all" not in text
    for block in text.split("\n\n"):
        if block.startswith("|"):
            counts = {re.sub(r"\\\|", "", line).count("|") for line in block.splitlines()}
            assert len(counts) == 1
    assert cell("blue_green _a_ *b* [c](d) `e`") == r"blue_green \_a\_ \*b\* \[c\](d) \`e\`"


def test_a_bot_finds_its_own_comment_and_the_same_results_give_the_same_text() -> None:
    last = markdown(hostile()).splitlines()[-1]
    assert last == "<!-- deploysim: title-script-alert-1-script-b-co-b-all-1 -->"
    assert markdown(plain()).splitlines()[-1] == "<!-- deploysim: scenario -->"
    assert markdown(hostile()) == markdown(hostile())
