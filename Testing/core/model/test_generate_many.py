"""Several scans written as one batch get the texts that each gets alone, with all that is judged of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from RegionReportLib.imaging.box import Box
from RegionReportLib.model.box_head import FoundBox
from RegionReportLib.model.generate import OpenStudy, RegionText, SentenceWritten, Settings, write_regions
from RegionReportLib.model.generate_choice import Sampling
from RegionReportLib.model.generate_decode import read_prefix
from RegionReportLib.model.generate_many import write_studies
from RegionReportLib.model.generate_sentences import Ending, Limits, Marks
from RegionReportLib.progress import Progress, finish

END, BOX, LINE_ENDS = 60, 59, range(52, 58)
WIDTH = 32
REGIONS = ("lungs", "airways", "mediastinum", "heart_great_vessels", "bones", "upper_abdomen")
SHORT = Settings(limits=Limits(region=40, sentence=20))
SCANS = ((8, REGIONS), (3, REGIONS[:2]), (13, REGIONS[::-1]), (8, REGIONS[4:5]), (1, REGIONS))
"""How many vectors the regions of a scan share, and which regions it has."""


def decode(ids: list[int]) -> str:
    return "".join("\n" if n in LINE_ENDS else f" w{n}" for n in ids if n not in (END, BOX))


def network(*, trained: bool) -> Any:
    torch.manual_seed(5)
    sizes = {"vocab_size": 61, "hidden_size": WIDTH, "intermediate_size": 48, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    language: Any = LlamaForCausalLM(LlamaConfig(**sizes, **heads, initializer_range=0.05 if trained else 0.5))
    return (briefly_trained(language) if trained else language).eval()


def briefly_trained(language: Any) -> Any:
    """Teach it to count, in steps that the last vector before the text tells, with ends of lines and of the text."""
    generator = torch.Generator().manual_seed(1)
    told = torch.randn(8, WIDTH, generator=generator)
    optimiser = torch.optim.AdamW(language.parameters(), lr=1e-2)
    for _ in range(60):
        step = torch.randint(1, 8, (16,), generator=generator)
        ids = (torch.arange(20)[None] * step[:, None]) % 50
        ids[:, 6::7], ids[:, -1] = LINE_ENDS[0], END
        embeds = torch.cat((told[step][:, None], language.get_input_embeddings()(ids)), dim=1)
        labels = torch.cat((torch.full((16, 1), -100), ids), dim=1)
        loss = language(inputs_embeds=embeds, labels=labels).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 2.5, "it has learned something: chance is 4.1"
    return language


def opened(language: Any) -> list[OpenStudy]:
    studies = []
    for number, (length, regions) in enumerate(SCANS):
        generator = torch.Generator().manual_seed(number)
        prompts = {name: torch.randn(1 + n % 4, WIDTH, generator=generator) for n, name in enumerate(regions)}
        prefix = read_prefix(language, torch.randn(1, length, WIDTH, generator=generator))
        names = {name: (1, 2, n) for n, name in enumerate(regions) if n % 2}
        studies.append(OpenStudy(language, prefix, prompts, decode, Marks((END,), BOX), names))
    return studies


@pytest.fixture(scope="module", params=["untrained", "trained"])
def studies(request: pytest.FixtureRequest) -> list[OpenStudy]:
    return opened(network(trained=request.param == "trained"))


def said(texts: Sequence[RegionText]) -> list[tuple[str, Ending, list[tuple[int, str, int]]]]:
    return [(t.region_id, t.ending, [(s.number, s.text, s.tokens) for s in t.sentences]) for t in texts]


@pytest.mark.parametrize(
    "settings",
    [SHORT, replace(SHORT, sampling=Sampling(7)), Settings(limits=Limits(region=5)), Settings(limits=Limits(30, 3))],
)
def test_each_scan_gets_what_it_gets_alone(studies: list[OpenStudy], settings: Settings) -> None:
    alone = [finish(write_regions(study, settings=settings)) for study in studies]
    together = finish(write_studies(studies, settings))
    assert [said(texts) for texts in together] == [said(texts) for texts in alone]
    for texts, others in zip(together, alone, strict=True):
        for text, other in zip(texts, others, strict=True):
            assert (text.named is None) is (other.named is None)
            assert (text.named or 0.0) == pytest.approx(other.named or 0.0, rel=1e-3)
            for one, two in zip(text.sentences, other.sentences, strict=True):
                assert one.mean_log_probability == pytest.approx(two.mean_log_probability, abs=1e-4)


def test_the_comparison_says_something(studies: list[OpenStudy]) -> None:
    together = finish(write_studies(studies, SHORT))
    assert [[t.region_id for t in texts] for texts in together] == [list(regions) for _, regions in SCANS]
    assert len({str(said(texts)) for texts in together}) == len(SCANS)
    endings = {t.ending for texts in together for t in texts}
    assert len(endings) > 1, "rows leave the batch at different words"
    assert sum(len(t.sentences) for texts in together for t in texts) > 15


def test_the_order_of_the_scans_changes_nothing(studies: list[OpenStudy]) -> None:
    for settings in (SHORT, replace(SHORT, sampling=Sampling(3))):
        there = [said(texts) for texts in finish(write_studies(studies, settings))]
        back = [said(texts) for texts in finish(write_studies(studies[::-1], settings))]
        assert back[::-1] == there


def test_one_scan_twice_gets_the_same_twice_also_by_chance(studies: list[OpenStudy]) -> None:
    one, other, again = finish(
        write_studies([studies[0], studies[2], studies[0]], replace(SHORT, sampling=Sampling(1)))
    )
    assert said(one) == said(again)
    assert said(one) != said(other)


def test_only_the_regions_asked_for_are_written(studies: list[OpenStudy]) -> None:
    whole = finish(write_studies(studies, SHORT))
    some = finish(write_studies(studies, SHORT, [["bones", "lungs"], [], ["airways"], [], ["lungs"]]))
    wanted = [("bones", "lungs"), (), ("airways",), (), ("lungs",)]
    by_name = [{t.region_id: t for t in texts} for texts in whole]
    assert [said(texts) for texts in some] == [
        said([known[name] for name in names]) for known, names in zip(by_name, wanted, strict=True)
    ]
    assert finish(write_studies([])) == ()
    assert finish(write_studies(studies[:2], region_ids=[[], []])) == ((), ())


def test_sentences_are_heard_with_the_number_of_their_scan(studies: list[OpenStudy]) -> None:
    heard: list[Progress] = []
    together = finish(write_studies(studies, SHORT), heard.append)
    events = [event for event in heard if isinstance(event, SentenceWritten)]
    for number, texts in enumerate(together):
        mine = {event.sentence for event in events if event.study == number}
        assert mine == {s for text in texts for s in text.sentences}
    assert [event.fraction for event in heard] == sorted(event.fraction for event in heard)


def test_each_scan_has_judges_of_its_own() -> None:
    fond = network(trained=False)  # of boxes, so that marks are among the likeliest words
    fond.get_output_embeddings().weight.data[BOX] *= 2.5

    def finder(number: int) -> Any:
        def find(states: Tensor) -> tuple[tuple[FoundBox, ...], ...]:
            assert set(fond.get_output_embeddings()(states).argmax(dim=-1).tolist()) == {BOX}
            return tuple((FoundBox(Box((0, 0, 0), (1, 1, 1 + number)), 0.6, 2.0),) for _ in states)

        return find

    judged = [
        replace(study, find_boxes=finder(n), support=lambda region, text, n=n: n / 10 + REGIONS.index(region) / 100)
        for n, study in enumerate(opened(fond))
    ]
    boxes = 0
    for number, texts in enumerate(finish(write_studies(judged, SHORT))):
        for s in (s for text in texts for s in text.sentences):
            assert s.support == pytest.approx(number / 10 + REGIONS.index(s.region_id) / 100)
            assert all(found.box.max_mm[2] == 1 + number for found in s.boxes)
            boxes += len(s.boxes)
    assert boxes > 3


def test_scans_read_by_two_networks_are_refused(studies: list[OpenStudy]) -> None:
    with pytest.raises(ValueError, match="read by the same network"):
        finish(write_studies([studies[0], *opened(network(trained=False))], SHORT))


def test_writing_can_be_cancelled_between_words(studies: list[OpenStudy]) -> None:
    work = write_studies(studies, SHORT)
    for _ in range(5):
        next(work)
    work.close()
    language = studies[0].language
    assert language.config._attn_implementation == "sdpa", "the network is left as it was"
