"""Regions are written together, streamed by sentence, judged, redrafted and cancelled; on a small random Llama."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from RegionReportLib.imaging.box import Box
from RegionReportLib.model.box_head import FoundBox
from RegionReportLib.model.generate import (
    OpenStudy,
    RegionText,
    SentenceWritten,
    Settings,
    write_regions,
)
from RegionReportLib.model.generate_choice import Drawn, Sampling
from RegionReportLib.model.generate_decode import read_prefix
from RegionReportLib.model.generate_sentences import Ending, Limits, Marks
from RegionReportLib.progress import Progress, finish

END, BOX, LINE_ENDS = 60, 59, range(50, 59)
REGIONS = ("lungs", "airways", "mediastinum", "heart_great_vessels", "bones", "upper_abdomen")
SHORT = Settings(limits=Limits(region=40, sentence=20))


def decode(ids: list[int]) -> str:
    return "".join("\n" if n in LINE_ENDS else f" w{n}" for n in ids if n not in (END, BOX))


@pytest.fixture(scope="module")
def study() -> OpenStudy:
    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=61,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.5,
    )
    language: Any = LlamaForCausalLM(config).eval()
    prompts = {name: torch.randn(3 + n, 32) for n, name in enumerate(REGIONS)}
    return OpenStudy(language, read_prefix(language, torch.randn(1, 8, 32)), prompts, decode, Marks((END,), BOX))


def texts(written: tuple[RegionText, ...]) -> dict[str, list[str]]:
    return {text.region_id: [sentence.text for sentence in text.sentences] for text in written}


def test_the_regions_come_in_the_order_asked_for_with_sentences_numbered(study: OpenStudy) -> None:
    written = finish(write_regions(study, settings=SHORT))
    assert [text.region_id for text in written] == list(REGIONS)
    assert sum(len(text.sentences) for text in written) > 5
    for text in written:
        assert [s.number for s in text.sentences] == list(range(1, len(text.sentences) + 1))
        assert all(s.region_id == text.region_id and s.mean_log_probability < 0 for s in text.sentences)


def test_sentences_are_heard_as_they_are_finished_and_are_those_returned(study: OpenStudy) -> None:
    heard: list[Progress] = []
    written = finish(write_regions(study, settings=SHORT), heard.append)
    sentences = [event.sentence for event in heard if isinstance(event, SentenceWritten)]
    assert sorted(sentences, key=lambda s: (REGIONS.index(s.region_id), s.number)) == [
        s for text in written for s in text.sentences
    ]
    # They stream: the first is out long before the last, and regions take turns.
    places = [n for n, event in enumerate(heard) if isinstance(event, SentenceWritten)]
    assert places[0] < places[-1] / 2
    assert len({s.region_id for s in sentences[:4]}) > 1
    assert [event.fraction for event in heard] == sorted(event.fraction for event in heard)


def test_one_region_redrafted_alone_is_what_it_was_among_six(study: OpenStudy) -> None:
    for settings in (SHORT, replace(SHORT, sampling=Sampling(seed=7))):
        whole = texts(finish(write_regions(study, settings=settings)))
        for name in ("airways", "upper_abdomen"):
            assert texts(finish(write_regions(study, [name], settings))) == {name: whole[name]}


def test_chance_is_the_same_for_the_same_seed_and_another_for_another(study: OpenStudy) -> None:
    first, again, other = (
        texts(finish(write_regions(study, settings=replace(SHORT, sampling=Sampling(seed))))) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert first != texts(finish(write_regions(study, settings=SHORT)))


def test_boxes_are_asked_for_with_the_states_that_wrote_their_marks(study: OpenStudy) -> None:
    asked: list[Tensor] = []

    def find(states: Tensor) -> tuple[tuple[FoundBox, ...], ...]:
        asked.append(states)
        return tuple((FoundBox(Box((0, 0, 0), (1, 1, 1)), 0.6 + 0.1 * n, 2.0),) for n in range(len(states)))

    fond = copy.deepcopy(study.language)  # of boxes, so that marks are among the likeliest words
    fond.get_output_embeddings().weight.data[BOX] *= 2.5
    prefix = read_prefix(fond, torch.randn(1, 8, 32, generator=torch.Generator().manual_seed(2)))
    written = finish(write_regions(replace(study, language=fond, prefix=prefix, find_boxes=find), settings=SHORT))
    boxed = [s for text in written for s in text.sentences if s.boxes]
    assert boxed and any(len(s.boxes) > 1 for s in boxed)
    assert sorted(len(states) for states in asked) == sorted(len(s.boxes) for s in boxed)
    for s in boxed:
        assert [box.existence for box in s.boxes] == sorted((box.existence for box in s.boxes), reverse=True)
    for states in asked:  # each is a state from which the mark was the likeliest word
        assert set(fond.get_output_embeddings()(states).argmax(dim=-1).tolist()) == {BOX}


def test_support_is_asked_for_each_sentence_with_its_region(study: OpenStudy) -> None:
    judged = replace(study, support=lambda region, text: len(text) / 1000 + REGIONS.index(region) / 10)
    for text in finish(write_regions(judged, settings=SHORT)):
        for s in text.sentences:
            assert s.support == pytest.approx(len(s.text) / 1000 + REGIONS.index(s.region_id) / 10)
    assert all(s.support is None for t in finish(write_regions(study, settings=SHORT)) for s in t.sentences)


def test_the_limit_of_words_is_kept(study: OpenStudy) -> None:
    written = finish(write_regions(study, settings=Settings(limits=Limits(region=2))))
    assert all(sum(s.tokens for s in text.sentences) <= 2 for text in written)
    assert Ending.TOO_LONG in {text.ending for text in written}


def test_writing_can_be_cancelled_between_words_and_done_again(study: OpenStudy) -> None:
    work = write_regions(study, settings=SHORT)
    for _ in range(5):
        next(work)
    work.close()
    assert texts(finish(write_regions(study, settings=SHORT)))


def test_no_region_gives_no_text(study: OpenStudy) -> None:
    assert finish(write_regions(study, [])) == ()


def test_drawn_words_follow_the_chances_and_stay_within_the_likeliest() -> None:
    logits = torch.tensor([[2.0, 1.0, 0.0, -9.0]]).repeat(400, 1)
    names = [f"row {n}" for n in range(400)]
    drawn = Drawn(Sampling(seed=0, temperature=1.0, top_p=1.0, top_k=2))(logits, names)
    assert set(drawn.tolist()) == {0, 1}
    # e / (e + 1) = 0.731 of the draws; four standard errors are 0.09.
    assert float((drawn == 0).float().mean()) == pytest.approx(0.731, abs=0.09)


def test_settings_of_chance_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="temperature and top_k must be positive"):
        Sampling(seed=1, temperature=0)
