"""A region written anew from the page: by measurements, then by a model whose words are marked as what they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browsing import opened, sentences, within

from RegionReportLib.errors import InputRefused
from RegionReportLib.web.redrafting import RedraftWish, redraft_wish, redrafters

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_what_a_page_asks_for_is_checked() -> None:
    wish = redraft_wish({"region": "lungs", "writer": "region-tokens", "model": " /m ", "device": "cpu"})
    assert wish == RedraftWish("lungs", "region-tokens", "/m", "cpu")
    assert redraft_wish({"region": "bones", "writer": "measured"}) == RedraftWish("bones", "measured")
    for message, words in (
        ({"region": "brain", "writer": "measured"}, "no region 'brain'"),
        ({"region": "lungs", "writer": "poet"}, "no writer 'poet'"),
        ({"region": "lungs", "writer": "measured", "device": "abacus"}, "no device 'abacus'"),
        ({"region": "lungs", "writer": "reg2rg"}, "writes whole reports only"),
        ({"region": 7, "writer": "measured"}, "no text for 'region'"),
    ):
        with pytest.raises(InputRefused, match=words):
            redraft_wish(message)
    reasons = {one["name"]: one["reason"] for one in redrafters()}
    assert reasons["measured"] == "" and reasons["reg2rg"] == "the reg2rg writer writes whole reports only"


def test_a_region_is_written_anew_and_taken_back(page: Page, server: Any, report: Path, tmp_path: Path) -> None:
    words = pytest.importorskip("known_words", reason="torch is not installed")
    label = "demonstration model, trained on phantoms, not for patients"
    model = words.save_model(tmp_path / "model", label)
    opened(page, server, report)
    before = sentences(server)
    page.click(".one[data-id='lungs-1']")
    page.keyboard.press("d")
    page.wait_for_selector("#redrafting[open]")
    assert page.inner_text("#redrafting h2") == "Redraft: Lungs"
    page.select_option("#rewriter", "measured")
    page.click("#redrafting button[data-value=yes]")
    page.wait_for_selector("#message:has-text('the writer says the same as before')", timeout=120_000)
    assert sentences(server)[0].text == before[0].text and len(sentences(server)) == len(before)

    page.click(".again[data-region=lungs]")
    page.wait_for_selector("#redrafting[open]")
    page.select_option("#rewriter", "region-tokens")
    page.fill("#remodel", str(model))
    page.click("#redrafting button[data-value=yes]")
    page.wait_for_selector(f".one:has-text('{words.NODULE}')", timeout=300_000)
    row = page.locator(f".one:has-text('{words.NODULE}')").first
    assert "demonstration model" in row.locator(".author").inner_text()
    assert row.locator(".author").get_attribute("title") == label
    assert "agreement 0." in row.locator(".agrees").inner_text()
    assert "hint, not a finding" in (row.locator(".agrees").get_attribute("title") or "")
    row.click()
    within(page, lambda: "Box of the model at" in row.locator(".place").inner_text())
    page.click("#trail")
    page.wait_for_selector("#history[open] td:has-text('had a region written anew')")
    page.keyboard.press("Escape")
    page.click("[data-do=undo]")
    within(page, lambda: page.locator(f".one:has-text('{words.NODULE}')").count() == 0)
    assert {s.id for s in sentences(server)} == {s.id for s in before}
