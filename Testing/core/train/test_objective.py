"""The losses of a batch: what each is made of, and that it may be divided among processes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from RegionReportLib.model.build import build
from RegionReportLib.model.config import ModelConfig
from RegionReportLib.train.batches import Order, Share
from RegionReportLib.train.example import Example, Showing
from RegionReportLib.train.finding_losses import labels_of
from RegionReportLib.train.objective import Objective
from RegionReportLib.train.recipe import Recipe, Stage

from .conftest import Blobs, tiny_config

WORDS = (
    "No nodule in either lung.",
    "Nodule in the right left lung.",
    "The airways are open. Heart: width 0123456789 mm.",
)
ALL = Stage("all", 1, {"contrast": 1.0, "support": 1.0, "writing": 1.0, "boxes": 1.0}, batch=6)


@pytest.fixture
def objective(config: ModelConfig) -> Objective:
    return Objective(build(config, words=WORDS)).eval()


@pytest.fixture
def examples(blobs: Blobs) -> list[Example]:
    others = tuple(s for n in range(12) for s in blobs.case(n).wordings[0])
    return Order(blobs, others, Showing(), 6, (0, 0)).step(0, Share())


def test_a_network_that_knows_nothing_finds_every_word_equally_unlikely(
    objective: Objective, examples: list[Example]
) -> None:
    for weight in objective.network.language_model.get_output_embeddings().parameters():
        weight.data.zero_()
    stage = Stage("writing", 1, {"writing": 1.0})
    loss = objective(examples, stage)["writing"]
    assert float(loss.detach()) == pytest.approx(math.log(objective.network.tokenizer.size), rel=1e-4)


def test_the_words_of_findings_weigh_as_much_as_the_stage_says(objective: Objective, examples: list[Example]) -> None:
    for weight in objective.network.language_model.get_output_embeddings().parameters():
        weight.data.zero_()  # every word is equally unlikely, so that weights alone change nothing
    plain, heavy = (Stage("writing", 1, {"writing": 1.0}, affirmed=a) for a in (1.0, 5.0))
    same = [float(objective(examples, stage)["writing"].detach()) for stage in (plain, heavy)]
    assert same[0] == pytest.approx(same[1])
    one = next(e for e in examples if e.study.told["lungs"])
    ids = objective.network.target_ids("lungs", "\n".join(told.text for told in one.study.told["lungs"]))
    labels = torch.tensor([-100, *ids, -100, 3, -100, 3, -100, 3, -100, 3, -100, 3])
    slots = one.study.study.slots
    order = sorted(range(6), key=lambda n: slots[n] != "lungs")
    shown = replace(one, study=replace(one.study, study=replace(one.study.study, slots=tuple(slots[n] for n in order))))
    weights = objective._weights(shown, labels, 5.0)
    assert weights.tolist() == [1.0] + [5.0] * (len(ids) - 1) + [1.0] * 11  # the mark of the end is not of the finding


def test_findings_that_are_written_alone_weigh_more_whole(examples: list[Example], blobs: Blobs) -> None:
    labels = labels_of(s for n in range(12) for s in blobs.case(n).wordings[0])
    objective = Objective(build(replace(tiny_config(), findings=labels.kinds), words=WORDS), labels).eval()
    one = next(e for e in examples if e.study.told["lungs"])
    with torch.no_grad():
        written = objective.network([one.study], contrast=False).written
    assert written is not None
    weights = objective._weights(one, written.labels[0], 5.0)
    alone = [i for told in one.study.told.values() for s in told for i in objective.network.target_ids("lungs", s.text)]
    assert [r for r, told in one.study.told.items() if told] == ["lungs"] and int((weights == 5.0).sum()) == len(alone)
    assert written.labels[0][weights == 5.0].tolist() == alone


def test_losses_of_halves_have_the_mean_of_the_whole(objective: Objective, examples: list[Example]) -> None:
    stage = Stage("apart", 1, {"support": 1.0, "writing": 1.0, "boxes": 1.0})
    with torch.no_grad():
        whole, left, right = (objective(part, stage) for part in (examples, examples[:3], examples[3:]))
    for name in stage.losses:
        assert float(whole[name]) == pytest.approx((float(left[name]) + float(right[name])) / 2, rel=1e-6)
        assert float(left[name]) != pytest.approx(float(right[name]), rel=1e-6)


def test_only_what_a_stage_follows_is_computed(objective: Objective, examples: list[Example]) -> None:
    assert set(objective(examples, ALL)) == set(ALL.losses)
    assert set(objective(examples, Stage("one", 1, {"contrast": 1.0}))) == {"contrast"}


def test_findings_are_asked_for_where_it_is_known_what_sentences_claim(examples: list[Example], blobs: Blobs) -> None:
    labels = labels_of(s for n in range(12) for s in blobs.case(n).wordings[0])
    network = build(replace(tiny_config(), findings=labels.kinds), words=WORDS)
    stage = Stage("see", 1, {"findings": 1.0, "places": 1.0})
    losses = Objective(network, labels)(examples, stage)
    assert set(losses) == {"findings", "places"}
    sum(losses.values()).backward()
    for part in (network.visual.slice_encoder, network.visual.structure_queries, network.visual.finding_map.of_patch):
        assert any(w.grad is not None and w.grad.any() for w in part.parameters())
    assert not Objective(build(tiny_config(), words=WORDS), labels_of([]))(examples, stage)


def test_the_plan_is_read_before_the_token_that_tells_it(examples: list[Example], blobs: Blobs) -> None:
    labels = labels_of(s for n in range(12) for s in blobs.case(n).wordings[0])
    objective = Objective(build(replace(tiny_config(), findings=labels.kinds), words=WORDS), labels).eval()
    plan = objective.network.plan
    assert plan is not None
    said = {r: plan.said_of([r])[0].tolist() for r in plan.regions}
    assert {(r, name) for r in said for name, ever in zip(plan.names, said[r], strict=True) if ever} == labels.asked
    stage = Stage("write", 1, {"plan": 1.0})
    losses = objective(examples, stage)
    assert set(losses) == {"plan"}
    losses["plan"].backward()
    learning = [name for name, w in objective.network.named_parameters() if w.grad is not None and w.grad.any()]
    assert any(name.startswith("language_model.") for name in learning)
    assert any(name.startswith("visual.slice_encoder.") for name in learning)
    assert not any(name.startswith("plan.to_token.") for name in learning)  # or the truth would be asked for the truth
    assert not Objective(build(tiny_config(), words=WORDS), labels_of([]))(examples, stage)


def test_a_part_that_is_off_has_no_loss(examples: list[Example]) -> None:
    plain = Recipe("plain", (ALL,), without=("support", "boxes"))
    config = replace(tiny_config(), parts=plain.config.parts, box=None)
    assert set(Objective(build(config, words=WORDS))(examples, ALL)) == {"writing"}


def test_the_queue_takes_texts_in_only_while_learning(objective: Objective, examples: list[Example]) -> None:
    assert objective.queue is not None
    stage = Stage("contrast", 1, {"contrast": 1.0})
    objective(examples, stage)
    assert int(objective.queue.filled.sum()) == 0
    objective.train()(examples, stage)
    assert int(objective.queue.filled[0]) == 6  # the lungs of six studies
    assert int(objective.queue.filled[1]) == 6  # their airways
    assert int(objective.queue.filled[2:].sum()) == 0  # nothing was told of the rest


def test_every_loss_reaches_the_parts_that_it_is_for(objective: Objective, examples: list[Example]) -> None:
    reached = {
        "contrast": ("visual.slice_encoder.", "visual.structure_queries.", "text_side."),
        "support": ("visual.structure_queries.", "text_side.", "support_score."),
        "writing": ("visual.slice_encoder.", "visual.texture.", "visual.mask_token.", "language_model."),
        "boxes": ("box_head.", "visual.slice_encoder.", "language_model."),
    }
    for name, parts in reached.items():
        objective.zero_grad()
        objective(examples, Stage(name, 1, {name: 1.0}))[name].backward()
        named = dict(objective.network.named_parameters())
        for beginning in parts:
            gradients = [w.grad for n, w in named.items() if n.startswith(beginning) and w.grad is not None]
            assert gradients and max(float(g.abs().max()) for g in gradients) > 0, f"{name} does not reach {beginning}"


def test_marks_without_lesions_are_a_mistake(objective: Objective, examples: list[Example]) -> None:
    boxed = next(one for one in examples if one.lesions)
    with pytest.raises(ValueError, match="1 marks of boxes were written, but lesions are given for 0"):
        objective([replace(boxed, lesions=())], Stage("boxes", 1, {"boxes": 1.0}))
