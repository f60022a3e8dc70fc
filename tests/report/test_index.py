"""The index: the riskiest first, who should change, what it would save, and what has no result."""

from __future__ import annotations

from simulator.report.index import Entry, advice, entry, html, kept, lines, markdown, summary
from tests.report.comparing import hostile, plain
from tests.report.pages import Page

CHANGES = Entry(
    *("shop", "Web | shop <b>", "canary", "blue_green"),
    *(0.30, 0.12, 90.0, 55.5),
    *("USD", 3, 2, 1),
)
STAYS = Entry("api", "API", "rolling", "rolling", 0.05, 0.05, 4.0, 4.0, "EUR", 1, 0, 0)
SILENT = Entry("old", "Old", "big_bang", None, 0.9, None)
WORSE = Entry("pay", "Pay", "phased", "big_bang", 0.1, 0.4, 10.0, 4.0, "USD")
BROKEN = Entry("bad", "bad.yaml", error="bad.yaml:3:1: trafic: unknown | key\nbad.yaml:9:1: <i>")
ALL = [STAYS, BROKEN, CHANGES, SILENT, WORSE]


def test_the_riskiest_comes_first_and_what_failed_is_apart() -> None:
    assert [line.slug for line in lines(ALL)] == ["old", "shop", "pay", "api"]
    equal = [STAYS._replace(slug="dear", loss_planned=9.0), STAYS]
    assert [line.slug for line in lines(equal[::-1])] == ["dear", "api"]
    assert summary(ALL) == (
        "4 services compared: 2 should change the strategy, 1 fails an objective as planned, "
        "1 without a result."
    )


def test_it_says_who_should_change_and_what_that_saves() -> None:
    assert advice(CHANGES) == (
        "Change from canary to blue_green: it saves 34.5 USD a release; "
        "fewer users harmed (p95 of bad releases: 12 %, not 30 %)."
    )
    assert "more users harmed (p95 of bad releases: 40 %, not 10 %)" in advice(WORSE)
    assert advice(STAYS) == "Stay with rolling."
    assert "Nothing is recommended" in advice(SILENT)
    assert kept(CHANGES) == "1 of 3 kept, 2 failed, 1 not decided"
    assert kept(SILENT) == "none stated"


def test_a_winner_that_fresh_luck_does_not_confirm_changes_nothing() -> None:
    close = CHANGES._replace(confirmed=False)
    assert not close.changes
    assert "close call" in advice(close)
    assert "0 should change" in summary([close])


def test_an_entry_is_what_its_comparison_says() -> None:
    found, comparison = entry("it", hostile()), hostile()
    best = comparison.recommendation
    assert best is not None
    assert (found.planned, found.recommended) == ("canary", best.strategy)
    risk = comparison.risk
    assert found.harmed_planned == risk["canary"].given_defect.users_harmed.p95.value
    assert found.loss_recommended == risk[best.strategy].all.loss.mean.value
    mine = [t for t in comparison.thresholds if t.strategy == "canary"]
    assert found.objectives == len(mine) == 3
    assert found.failed == sum(not t.passed for t in mine)
    assert found.confirmed == best.confirmed
    assert found.undecided == sum(not t.decided for t in mine)
    little = entry("little", plain())
    assert (little.recommended, little.loss_planned, little.objectives) == (None, None, 0)


def test_the_page_is_well_formed_asks_for_nothing_and_leads_to_the_reports() -> None:
    text = html([*ALL, STAYS._replace(slug="a b/../c")])
    read = Page(text)
    assert read.faults == []
    assert read.outside() == []
    assert {"script", "b", "i", "img", "link"}.isdisjoint(tag for tag, _ in read.elements)
    assert len(read.all("caption")) == len(read.all("table")) == 2
    assert all(head["scope"] in ("col", "row") for head in read.all("th"))
    links = [a["href"] for a in read.all("a")]
    assert links[0] == "old/report.html"
    assert "a%20b/../c/report.html" in links
    assert html(ALL) == html(ALL[::-1])


def test_an_index_may_be_empty_or_have_failures_alone() -> None:
    for entries in ([], [BROKEN]):
        assert Page(html(entries)).faults == []
        assert "deploysim: index" in markdown(entries)


def test_markdown_keeps_its_table_and_names_the_reasons() -> None:
    text = markdown(ALL)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 4
    assert {line.replace("\\|", "").count("|") for line in rows} == {7}
    assert "[Web \\| shop \\<b\\>](shop/report.html)" in text
    assert "- **bad.yaml**: bad.yaml:3:1: trafic: unknown \\| key" in text
    assert text.endswith("<!-- deploysim: index -->\n")
