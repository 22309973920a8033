"""The support score is calibrated on held-out cases: chances that were too sure are so no more, order stays."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch

from RegionReportLib.model.build import build
from RegionReportLib.model.config import ModelConfig
from RegionReportLib.model.network import RegionReporter
from RegionReportLib.progress import finish
from RegionReportLib.train.calibration import calibrate
from RegionReportLib.train.case import Case

from .conftest import Blobs


@pytest.fixture
def network(config: ModelConfig) -> RegionReporter:
    return build(config, words=["Nodule in the left lung.", "No nodule in either lung."], seed=2)


@pytest.fixture
def cases(blobs: Blobs) -> list[Case]:
    return [blobs.case(n) for n in range(12)]


def support(network: RegionReporter, cases: list[Case]) -> list[float]:
    texts = ["Nodule in the left lung.", "Nodule in the right lung.", "No nodule in either lung."]
    with torch.inference_mode():
        return [x for case in cases for x in network.support(case.inputs, "lungs", texts).tolist()]


def test_an_untrained_network_that_is_sure_of_itself_learns_that_it_knows_nothing(
    network: RegionReporter, cases: list[Case]
) -> None:
    assert network.support_score is not None
    with torch.no_grad():
        network.support_score.offset.fill_(4.0)  # all is as good as certain, though half of it is false
    before = support(network.eval(), cases)
    assert min(before) > 0.9
    told = finish(calibrate(network, cases))
    after = support(network, cases)
    assert told.sentences >= 12 and told.before > 0.4 and told.after < 0.2
    assert 0.3 < sum(after) / len(after) < 0.7
    order = sorted(range(len(before)), key=before.__getitem__)
    assert all(after[a] <= after[b] + 1e-6 for a, b in itertools.pairwise(order))


def test_it_depends_on_nothing_but_its_seed(network: RegionReporter, cases: list[Case], config: ModelConfig) -> None:
    again = build(config, words=network.tokenizer, seed=2)
    assert finish(calibrate(network, cases, seed=5)) == finish(calibrate(again, cases, seed=5))
    assert network.support_score is not None and again.support_score is not None
    assert torch.equal(network.support_score.offset, again.support_score.offset)


def test_without_a_score_or_without_false_sentences_it_is_refused(
    network: RegionReporter, cases: list[Case], config: ModelConfig
) -> None:
    with pytest.raises(ValueError, match="sentences that hold"):
        finish(calibrate(network, cases[:1]))
    without = build(replace(config, parts=replace(config.parts, support=False)), words=network.tokenizer)
    with pytest.raises(ValueError, match="no support score"):
        finish(calibrate(without, cases))
