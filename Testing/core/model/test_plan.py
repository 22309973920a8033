"""What is settled before a text: answers by hand; writing and training put the same token in the same place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from RegionReportLib.anatomy.regions import REGION_IDS
from RegionReportLib.model import checkpoint
from RegionReportLib.model.config import Parts
from RegionReportLib.model.generate_open import open_study
from RegionReportLib.model.inputs import StudyInputs
from RegionReportLib.model.language_model import base_of
from RegionReportLib.model.network import RegionReporter, Told, TrainingStudy
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


def test_what_is_settled_can_be_told_singly_a_side_at_a_time() -> None:
    row = torch.tensor([True, False, True, True, False, False])
    assert [one.tolist() for one in plan_of(*[0.0] * 6).singly(row)] == [
        [True, False, True, False, False, False],
        [False, False, False, True, False, False],
    ]
    both = torch.tensor([True, True, True, False, False, False])
    assert [one.nonzero()[:, 0].tolist() for one in plan_of(*[0.0] * 6).singly(both)] == [[0, 1], [0, 2]]
    assert plan_of(*[0.0] * 6).singly(torch.zeros(6, dtype=torch.bool)) == []


def test_a_token_is_the_sum_of_what_is_settled() -> None:
    plan = plan_of(*[0.0] * 6)
    row = plan.row({("nodule", ""), ("nodule", "left"), ("cyst", "")})  # of cysts it knows nothing
    assert row.tolist() == [False, False, False, True, False, True]
    weight, bias = plan.to_token.weight, plan.to_token.bias
    assert torch.allclose(plan.token(row[None])[0], weight[:, 3] + weight[:, 5] + bias)


def test_training_writes_each_finding_alone_and_then_what_follows(toy_reporter: Make, toy_study: StudyInputs) -> None:
    model = toy_reporter(findings=KINDS)
    assert model.plan is not None
    fluid, nodule = frozenset({("effusion", ""), ("effusion", "left")}), frozenset({("nodule", "")})
    told = (Told("Pleural effusion.", fluid), Told("Nodule in the lobe.<box>", nodule))
    rest = "No old fracture."
    texts = {"lungs": "\n".join((told[0].text, told[1].text, rest)), "bones": rest}
    study = TrainingStudy(toy_study, texts, told={"lungs": told})
    ids = model.tokenizer.encode
    given = ids("Lungs: Pleural effusion.\nNodule in the lobe.<box>\n", marks=True)
    expected = {
        "lungs": [
            (fluid, [], model.target_ids("lungs", told[0].text)),
            (nodule, [], model.target_ids("lungs", told[1].text)),
            (fluid | nodule, given, [*ids(rest), model.tokenizer.end_id]),
        ]
    }
    with torch.inference_mode():
        written = model([study]).written
        assert written is not None
        at = 0
        for region_id in REGION_IDS:
            for names, before, own in expected.get(
                region_id, [(frozenset(), [], model.target_ids(region_id, texts.get(region_id)))]
            ):
                token = model.plan.token(model.plan.row(names)[None])[None]
                begun = (model.prefix(toy_study), model.region_prompt(toy_study, region_id), token)
                alone = torch.cat((*begun, model.words([*before, *own])[None]), dim=1)
                out = base_of(model.language_model)(inputs_embeds=alone).logits[0, begun[0].shape[1] :]
                here = slice(at, at + len(out))
                assert torch.allclose(written.logits[0, here], out, atol=1e-5)
                assert written.labels[0, here].tolist() == [-100] * (len(out) - len(own)) + own
                at = here.stop
        assert (written.labels[0, at:] == -100).all()


def test_without_its_plan_a_text_is_written_whole(toy_reporter: Make, toy_study: StudyInputs) -> None:
    text = "Pleural effusion.\nNo old fracture."
    told = {"lungs": (Told("Pleural effusion.", frozenset({("effusion", "")})),)}
    for model, without in ((toy_reporter(), ()), (toy_reporter(findings=KINDS), ("plan",))):
        study = TrainingStudy(toy_study, {"lungs": text}, without=frozenset(without), told=told)
        plain = TrainingStudy(toy_study, {"lungs": text}, without=frozenset(without))
        with torch.inference_mode():
            one, other = (model([each], contrast=False).written for each in (study, plain))
        assert one is not None and other is not None
        assert torch.equal(one.labels, other.labels) and torch.equal(one.logits, other.logits)


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
            singly = opened.findings[region_id]
            assert [one[-1].tolist() for one in singly] == [
                pytest.approx(model.plan_token(model.encode(toy_study), one)[0].tolist(), abs=1e-6)
                for one in model.plan.singly(row[0])
            ]
            assert all(torch.equal(one[:-1], prompt[:-1]) for one in singly)
            settled.add(tuple(row[0].tolist()))
    assert len(settled) > 1


def test_a_hidden_plan_is_a_token_of_zeros(toy_reporter: Make, toy_study: StudyInputs) -> None:
    model = toy_reporter(findings=KINDS)
    seen = model.encode(toy_study, {"plan"})
    opened = finish(open_study(model, seen))
    assert not any(prompt[-1].any() for prompt in opened.prompts.values())
    assert opened.findings == {}
    assert torch.equal(seen.region_tokens, model.encode(toy_study).region_tokens)


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
