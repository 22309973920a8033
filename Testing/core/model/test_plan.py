"""What is settled before a text: answers by hand; writing and training put the same token in the same place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from RegionReportLib.anatomy.regions import REGION_IDS
from RegionReportLib.model import checkpoint
from RegionReportLib.model.config import Parts
from RegionReportLib.model.generate_open import open_study
from RegionReportLib.model.inputs import StudyInputs
from RegionReportLib.model.language_model import base_of
from RegionReportLib.model.network import RegionReporter, TrainingStudy
from RegionReportLib.model.plan import Plan
from RegionReportLib.progress import finish

Make = Callable[..., RegionReporter]
KINDS = ("effusion", "nodule")
ALL = (("effusion", ""), ("effusion", "right"), ("effusion", "left"))
ALL += (("nodule", ""), ("nodule", "right"), ("nodule", "left"))


def plan_of(*answers: float) -> Plan:
    """A plan whose logits are these whatever the state."""
    plan = Plan(KINDS, ("lungs", "bones"), 4)
    with torch.no_grad():
        plan.of_state[-1].weight.zero_()
        plan.of_state[-1].bias.copy_(torch.tensor(answers))
    return plan


def test_kinds_come_with_their_sides() -> None:
    assert plan_of(*[0.0] * 6).names == ALL


def test_what_is_likelier_than_not_is_settled_and_a_side_with_its_kind_only() -> None:
    plan = plan_of(2.0, -1.0, 0.5, -0.1, 3.0, 3.0)
    assert plan.settled(torch.randn(1, 4), ["lungs"]).tolist() == [[True, False, True, False, False, False]]


def test_only_what_is_ever_said_of_a_region_is_settled_for_it() -> None:
    plan = plan_of(*[1.0] * 6)
    plan.limit({("lungs", ("effusion", "")), ("lungs", ("effusion", "left")), ("bones", ("nodule", ""))})
    both = plan.settled(torch.randn(2, 4), ["bones", "lungs"])
    assert both.tolist() == [[False] * 3 + [True, False, False], [True, False, True] + [False] * 3]


def test_at_first_nothing_is_settled() -> None:
    assert not Plan(KINDS, ("lungs",), 4).settled(0.1 * torch.ones(1, 4), ["lungs"]).any()


def test_a_token_is_the_sum_of_what_is_settled() -> None:
    plan = plan_of(*[0.0] * 6)
    row = plan.row({("nodule", ""), ("nodule", "left"), ("cyst", "")})  # of cysts it knows nothing
    assert row.tolist() == [False, False, False, True, False, True]
    weight, bias = plan.to_token.weight, plan.to_token.bias
    assert torch.allclose(plan.token(row[None])[0], weight[:, 3] + weight[:, 5] + bias)


def test_training_puts_the_truth_between_prompt_and_text(toy_reporter: Make, toy_study: StudyInputs) -> None:
    model = toy_reporter(findings=KINDS)
    assert model.plan is not None
    told = frozenset({("effusion", ""), ("effusion", "left")})
    study = TrainingStudy(toy_study, {"airways": "No pleural effusion."}, plan={"lungs": told})
    with torch.inference_mode():
        written = model([study]).written
        assert written is not None
        at = 0
        for region_id in REGION_IDS:
            ids = model.target_ids(region_id, study.texts.get(region_id))
            token = model.plan.token(model.plan.row(told if region_id == "lungs" else ())[None])[None]
            begun = torch.cat((model.prefix(toy_study), model.region_prompt(toy_study, region_id), token), dim=1)
            alone = torch.cat((begun, model.words(ids)[None]), dim=1)
            logits = base_of(model.language_model)(inputs_embeds=alone).logits[0, model.prefix(toy_study).shape[1] :]
            here = slice(at, at + len(logits))
            assert torch.allclose(written.logits[0, here], logits, atol=1e-5)
            assert written.labels[0, here].tolist() == [-100] * (model.config.region_tokens + 1) + ids
            at = here.stop


def test_writing_follows_what_the_end_of_each_prompt_settles(toy_reporter: Make, toy_study: StudyInputs) -> None:
    model = toy_reporter(findings=KINDS)
    assert model.plan is not None
    torch.manual_seed(3)
    for weight in base_of(model.language_model).model.layers.parameters():
        if weight.ndim > 1:
            weight.data = torch.randn_like(weight) * 0.5  # so that the states depend on what was read
    torch.nn.init.normal_(model.plan.of_state[-1].weight)
    model.plan.of_state[-1].bias.data.zero_()
    settled = set()
    with torch.inference_mode():
        opened = finish(open_study(model, toy_study))
        for region_id, prompt in opened.prompts.items():
            plain = torch.cat((model.prefix(toy_study), model.region_prompt(toy_study, region_id)), dim=1)
            out = base_of(model.language_model)(inputs_embeds=plain, output_hidden_states=True)
            row = model.plan.settled(out.hidden_states[-1][0, -1:], [region_id])
            assert torch.allclose(prompt[:-1], model.region_prompt(toy_study, region_id)[0])
            assert torch.allclose(prompt[-1], model.plan.token(row)[0])
            settled.add(tuple(row[0].tolist()))
    assert len(settled) > 1


def test_a_hidden_plan_is_a_token_of_zeros(toy_reporter: Make, toy_study: StudyInputs) -> None:
    model = toy_reporter(findings=KINDS)
    seen = model.encode(toy_study, {"plan"})
    prompts = finish(open_study(model, seen)).prompts
    assert not any(prompt[-1].any() for prompt in prompts.values())
    assert torch.equal(seen.region_tokens, model.encode(toy_study).region_tokens)
    plan = {"lungs": frozenset({("effusion", "")})}
    studies = [TrainingStudy(toy_study, {}, without=frozenset({"plan"}), plan=told) for told in (plan, {})]
    with torch.inference_mode():
        one, other = (model([study], contrast=False).written for study in studies)
    assert one is not None and other is not None
    assert torch.equal(one.logits, other.logits)


def test_without_findings_or_switched_off_nothing_is_planned(toy_reporter: Make, toy_study: StudyInputs) -> None:
    for model in (toy_reporter(), toy_reporter(findings=KINDS, parts=Parts(plan=False))):
        assert model.plan is None
        prompts = finish(open_study(model, toy_study)).prompts
        assert {len(prompt) for prompt in prompts.values()} == {model.config.region_tokens}


def test_what_is_said_of_regions_is_kept_in_a_checkpoint(toy_reporter: Make, tmp_path: Path) -> None:
    model = toy_reporter(findings=KINDS)
    assert model.plan is not None
    model.plan.limit({("bones", ("nodule", "left"))})
    checkpoint.save(model, tmp_path, torch.float16)
    again = finish(checkpoint.load(tmp_path)).plan
    assert again is not None
    assert torch.equal(again.said, model.plan.said) and again.said.sum() == 1
    assert torch.equal(again.of_state[-1].weight, model.plan.of_state[-1].weight.half().float())
