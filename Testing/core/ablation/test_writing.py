"""Rows written together: each in the words that it gets alone, from one look at the study."""

from __future__ import annotations

import pytest
import torch

from RegionReportLib.ablation.judging import Put
from RegionReportLib.ablation.writing import SeenStudy, look, write_rows
from RegionReportLib.model.build import build
from RegionReportLib.model.generate import Settings, write_regions
from RegionReportLib.model.generate_choice import Sampling
from RegionReportLib.model.generate_open import open_study
from RegionReportLib.model.generate_sentences import Limits
from RegionReportLib.model.inputs import StudyInputs, study_inputs
from RegionReportLib.model.network import RegionReporter
from RegionReportLib.phantom.study import training_case
from RegionReportLib.progress import finish

from known_words import config

# Lines end by chance, and what is shown decides where.
BY_CHANCE = Settings(Sampling(3, temperature=1.0, top_p=1.0, top_k=10_000), Limits(region=120))
ROWS = (
    frozenset[str](),
    frozenset({"even_slices"}),
    frozenset({"region_slices"}),
    frozenset({"mask_token", "spatial_token"}),
    frozenset({"texture", "geometry"}),
    frozenset({"attributes"}),
    frozenset({"structure_tokens"}),
    frozenset({"global_tokens"}),
)


@pytest.fixture(scope="module")
def network() -> RegionReporter:
    """A network with random weights, large enough in its words that what it is shown matters to them."""
    made = build(config(), words=["Lungs: volume 4 L.", "nodule\n"], seed=4).eval()
    with torch.no_grad():
        made.language_model.get_output_embeddings().weight.normal_(std=0.5, generator=torch.Generator().manual_seed(1))
    return made


@pytest.fixture(scope="module")
def inputs(network: RegionReporter) -> StudyInputs:
    phantom = training_case(12, (24, 48, 48))
    return finish(study_inputs(phantom.volume, phantom.masks, network.config, ["Lungs: volume 4 L."]))


@pytest.fixture(scope="module")
def seen(network: RegionReporter, inputs: StudyInputs) -> SeenStudy:
    return look(network, inputs)


def alone(network: RegionReporter, inputs: StudyInputs, hidden: frozenset[str]) -> list[tuple[str, str]]:
    with torch.inference_mode():
        study = finish(open_study(network, network.encode(inputs, hidden)))
    texts = finish(write_regions(study, settings=BY_CHANCE))
    return [(s.region_id, s.text) for text in texts for s in text.sentences]


def test_each_row_gets_the_words_that_it_gets_alone(
    network: RegionReporter, inputs: StudyInputs, seen: SeenStudy
) -> None:
    together = finish(write_rows(seen, ROWS, BY_CHANCE))
    said = {hidden: [(s.region_id, s.text) for s in report.sentences] for hidden, report in together.items()}
    assert {hidden: said[hidden] for hidden in ROWS[2:6:3]} == {h: alone(network, inputs, h) for h in ROWS[2:6:3]}
    assert all(said.values())
    # What is hidden matters: no two rows say the same.
    assert len({tuple(words) for words in said.values()}) == len(ROWS)


def test_rows_that_hide_the_same_are_written_once_and_times_are_shares_of_one(seen: SeenStudy) -> None:
    together = finish(write_rows(seen, (ROWS[0], ROWS[5], ROWS[0]), BY_CHANCE))
    assert list(together) == [ROWS[0], ROWS[5]]
    assert all(report.seconds is not None and report.seconds > 0 for report in together.values())


def test_the_support_score_is_that_of_the_network_and_does_not_change_with_what_is_hidden(
    network: RegionReporter, inputs: StudyInputs, seen: SeenStudy
) -> None:
    claims = [
        Put("true", "lungs", "Lungs: volume 4 L."),
        Put("side", "bones", "nodule"),
        Put("true", "lungs", "nodule"),
    ]
    with torch.inference_mode():
        expected = [float(network.support(inputs, claim.region_id, [claim.text])[0]) for claim in claims]
    judged = seen.judge(claims)
    assert [c.kind for c in judged] == ["true", "side", "true"]
    assert [c.score for c in judged] == pytest.approx(expected, abs=1e-5)
    for report in finish(write_rows(seen, ROWS[3:4], BY_CHANCE)).values():
        one = report.sentences[0]
        with torch.inference_mode():
            own = float(network.support(inputs, one.region_id, [one.text])[0])
        assert one.support == pytest.approx(own, abs=1e-5)
