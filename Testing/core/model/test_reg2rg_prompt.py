"""The prompt byte for byte, the ids of its tokens, and how answers are read back."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from RegionReportLib.errors import InputRefused, NeedMissing
from RegionReportLib.model.reg2rg_prompt import Answer, Words, added_tokens, prompt, read_answers, target


def test_the_prompt_equals_the_original_for_every_number_of_regions(original: Any) -> None:
    for count, record in original.records["text"]["prompt_by_region_count"].items():
        text = prompt(int(count))
        assert len(text) == record["characters"]
        assert hashlib.sha256(text.encode()).hexdigest() == record["sha256"]
    assert prompt(2) == original.records["preprocess"]["tiny"]["prompt"]
    with pytest.raises(ValueError, match="1 to 10 regions can be shown, got 11"):
        prompt(11)


def test_added_tokens_have_the_ids_of_the_original(original: Any, published_tokenizer: Tokenizer) -> None:
    recorded = original.records["text"]["added_tokens"]
    assert {name: 32000 + n for n, name in enumerate(added_tokens())} == recorded
    Words(published_tokenizer)
    assert {name: published_tokenizer.token_to_id(name) for name in recorded} == recorded


def test_a_prompt_holds_its_tokens_in_the_order_of_the_original(original: Any, published_tokenizer: Tokenizer) -> None:
    ids = Words(published_tokenizer).prompt_ids(2)
    assert ids[0] == 1
    assert [n for n in ids if n >= 32000] == original.records["preprocess"]["tiny"]["special_ids_in_order"]
    assert [n for n in ids if n >= 32004][32:65] == list(range(32036, 32069))  # slot 0
    assert [n for n in ids if n >= 32069][:33] == list(range(32069, 32102))  # slot 1
    assert 0 not in ids  # every word is known


def test_a_tokenizer_with_a_token_of_its_own_at_32000_is_refused(published_tokenizer: Tokenizer) -> None:
    published_tokenizer.add_special_tokens(["<pad>"])
    with pytest.raises(InputRefused, match="gives <image> the id 32001, the weights know it as 32000"):
        Words(published_tokenizer)


def test_a_tokenizer_is_read_from_its_folder(tmp_path: Path, published_tokenizer: Tokenizer) -> None:
    with pytest.raises(NeedMissing, match="meta-llama/Llama-2-7b-chat-hf"):
        Words.read(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputRefused, match="is no tokenizer"):
        Words.read(tmp_path)
    published_tokenizer.save(str(tmp_path / "tokenizer.json"))
    words = Words.read(tmp_path)
    assert words.text([1, *words.ids("lung is normal")[1:], 32036, 2]) == "lung is normal"


def test_the_trained_target_equals_the_original(original: Any) -> None:
    heart = "Heart size is normal. There is no pericardial effusion."
    assert target([("heart", heart), ("lung", "")]) == original.records["preprocess"]["tiny"]["reference_text"]


def test_answers_are_read_back_by_their_headers() -> None:
    text = "Well. The region 0 is heart: Size 3: normal. The region 2 is trachea and bronchie: The region is open. "
    assert read_answers(text) == (
        Answer(0, "heart", "Size 3: normal."),
        Answer(2, "trachea and bronchie", "The region is open."),
    )
    assert read_answers(target([("lung", "Clear."), ("heart", "")])) == (
        Answer(0, "lung", "Clear."),
        Answer(1, "heart", ""),
    )
    assert read_answers("no header at all") == ()
