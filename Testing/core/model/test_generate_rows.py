"""Findings that are settled get a sentence each, and the text goes on from these; on a small random Llama."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from RegionReportLib.model import generate_many
from RegionReportLib.model.generate import OpenStudy, RegionText, Settings, write_regions
from RegionReportLib.model.generate_choice import Sampling
from RegionReportLib.model.generate_decode import Batch, Prefix, read_prefix
from RegionReportLib.model.generate_many import write_studies
from RegionReportLib.model.generate_sentences import Ending, Limits, Lines, Marks
from RegionReportLib.progress import finish

END, BOX, LINE, LINE_ENDS = 60, 59, 58, range(46, 59)
SHORT = Settings(limits=Limits(region=40, sentence=20))
NAMES = {"lungs": (1, 2), "bones": (3,)}


def decode(ids: list[int]) -> str:
    return "".join("\n" if n in LINE_ENDS else f" w{n}" for n in ids if n not in (END, BOX))


def noise(length: int, seed: int) -> Tensor:
    return torch.randn(length, 32, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def study() -> OpenStudy:
    """Three findings are settled for the lungs, none for the bones."""
    torch.manual_seed(5)
    sizes = {"vocab_size": 61, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    language: Any = LlamaForCausalLM(LlamaConfig(**sizes, **heads, initializer_range=0.5)).eval()
    prompts = {"lungs": noise(4, 1), "bones": noise(4, 2)}
    marks = Marks((END,), BOX, line=(LINE,))
    findings = {"lungs": tuple(noise(4, seed) for seed in (11, 12, 13))}
    return OpenStudy(language, read_prefix(language, noise(8, 3)[None]), prompts, decode, marks, NAMES, findings)


def of(texts: Sequence[RegionText], region_id: str) -> list[str]:
    return next([s.text for s in text.sentences] for text in texts if text.region_id == region_id)


def alone(study: OpenStudy, prompt: Tensor) -> list[str]:
    """What a plain text of the lungs would be with this prompt."""
    return of(finish(write_regions(replace(study, prompts={"lungs": prompt}, findings={}), settings=SHORT)), "lungs")


def test_each_finding_gets_the_first_sentence_that_its_prompt_would_get(study: OpenStudy) -> None:
    firsts = [alone(study, prompt)[0] for prompt in study.findings["lungs"]]
    assert len(set(firsts)) == 3
    written = finish(write_regions(study, settings=SHORT))
    assert sorted(of(written, "lungs")[:3]) == sorted(firsts)
    plain = replace(study, findings={})
    assert of(written, "bones") == of(finish(write_regions(plain, settings=SHORT)), "bones")
    for text in written:
        assert [s.number for s in text.sentences] == list(range(1, len(text.sentences) + 1))


def test_the_rest_follows_upon_these_sentences(study: OpenStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[list[Tensor]] = []

    class Heard(Batch):
        def __init__(self, language: Any, prefixes: Sequence[Prefix], prompts: Sequence[Tensor]) -> None:
            read.append(list(prompts))
            super().__init__(language, prefixes, prompts)

    monkeypatch.setattr(generate_many, "Batch", Heard)
    written = finish(write_regions(study, settings=SHORT))
    first, (last,) = read
    assert [len(prompt) for prompt in first] == [4, 4, 4, 4]  # three findings, and all of the bones
    table = study.language.get_input_embeddings().weight
    ids = [int((table == vector).all(dim=1).nonzero()[0]) for vector in last[4:]]
    assert torch.equal(last[:4], study.prompts["lungs"]) and tuple(ids[:2]) == NAMES["lungs"]
    lines = [" ".join(line.split()) for line in decode(ids[2:]).split("\n")]
    assert lines == [*of(written, "lungs")[:3], ""]  # each line is ended
    first_three, rest = of(written, "lungs")[:3], of(written, "lungs")[3:]
    follows = alone(replace(study, names={}), last)
    # What was said before ends the text.
    assert rest == list(takewhile(lambda text: text not in first_three, follows)) and rest


def test_a_sentence_of_two_findings_is_told_once(study: OpenStudy) -> None:
    twice = replace(study, findings={"lungs": (study.findings["lungs"][0],) * 2})
    once = replace(study, findings={"lungs": study.findings["lungs"][:1]})
    both = [of(finish(write_regions(one, settings=SHORT)), "lungs") for one in (twice, once)]
    assert both[0] == both[1]


@pytest.mark.parametrize("settings", [SHORT, replace(SHORT, sampling=Sampling(3))])
def test_a_study_gets_what_it_gets_alone(study: OpenStudy, settings: Settings) -> None:
    other = replace(study, findings={"bones": (noise(4, 21),), "lungs": (noise(4, 22), noise(4, 23))})
    expected = [finish(write_regions(one, settings=settings)) for one in (study, other)]
    assert expected[0] != expected[1]
    together = finish(write_studies([study, other], settings))
    said = [[(t.region_id, t.ending, [s.text for s in t.sentences]) for t in texts] for texts in (*expected, *together)]
    assert said[:2] == said[2:]
    (bones,) = finish(write_regions(other, ["bones"], settings))
    assert [s.text for s in bones.sentences] == of(expected[1], "bones")


def test_the_chance_of_the_name_is_known(study: OpenStudy) -> None:
    assert all(text.named is not None and 0 < text.named < 1 for text in finish(write_regions(study, settings=SHORT)))


def test_one_line_can_be_enough() -> None:
    lines = Lines(decode, Marks((END,), BOX, line=(LINE,)), Limits(), once=True)
    assert lines.take(5, -1.0) is None and lines.ending is None
    line = lines.take(LINE, -1.0)
    assert line is not None and line.text == "w5" and lines.ending is Ending.FINISHED
    known = Lines(decode, Marks((END,)), Limits(), {"w5"}, once=True)
    known.take(5, -1.0)
    assert known.take(LINE, -1.0) is None and known.ending is Ending.REPEATED
