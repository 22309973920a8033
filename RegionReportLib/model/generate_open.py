"""Lets the network read a scan once, ready for its regions to be written, together or one by one.

The name of a region is known and therefore given; how likely the model would have named it itself is kept as a check
that it sees what it is shown. What a network settles before its words is settled here, so the words only follow it.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ..anatomy.regions import region
from ..progress import Progress, Work
from .box_frame import BoxFrame
from .box_head import FoundBox, read_boxes
from .generate_decode import Batch, read_prefix
from .generate_sentences import Marks
from .generate_study import OpenStudy
from .inputs import StudyInputs
from .language_model import base_of
from .network import RegionReporter
from .visual_tokens import EncodedStudy


def open_study(network: RegionReporter, inputs: StudyInputs | EncodedStudy) -> Work[OpenStudy]:
    """Return the scan as the network read it; the network is in evaluation mode.

    What is encoded already is not encoded again.
    """
    yield Progress(0.0, "reading the slices")
    with torch.inference_mode():
        seen = network.encode(inputs)
    yield Progress(0.5, "reading what all regions share")
    language, words = base_of(network.language_model), network.tokenizer
    with torch.inference_mode():
        prefix = read_prefix(language, network.prefix(seen))
        prompts = {r: network.region_prompt(seen, r)[0] for r in seen.study.slots}
    opened = OpenStudy(
        language,
        prefix,
        prompts,
        words.decode,
        Marks((words.end_id,), words.box_id, words.none_id, tuple(words.encode("\n"))),
        names={r: tuple(words.encode(f"{region(r).name}:")) for r in prompts},
        find_boxes=_Boxes(network, seen) if network.box_head is not None else None,
        support=_Support(network, seen) if network.support_score is not None else None,
    )
    yield Progress(0.9, "settling what there is to tell")
    with torch.inference_mode():
        planned = _planned(network, seen, opened)
    yield Progress(1.0, "read")
    return planned


def _planned(network: RegionReporter, seen: EncodedStudy, opened: OpenStudy) -> OpenStudy:
    """Return a study whose prompts end with the token of what the network settles for them, if it settles anything."""
    if network.plan is None:
        return opened
    prompts, plan = opened.prompts, network.plan
    batch = Batch(opened.language, [opened.prefix] * len(prompts), list(prompts.values()))
    settled = dict(zip(prompts, plan.settled(batch.read_prompts()[0].states, tuple(prompts)), strict=True))

    def told(region_id: str, row: Tensor) -> Tensor:
        return torch.cat((prompts[region_id], network.plan_token(seen, row)))

    each = {r: tuple(told(r, one) for one in plan.singly(row)) for r, row in settled.items()}
    whole = {r: told(r, row) for r, row in settled.items()}
    return replace(opened, prompts=whole, findings=each if seen.plans else {})


class _Boxes:
    """Finds boxes in the features of one scan."""

    def __init__(self, network: RegionReporter, seen: EncodedStudy) -> None:
        assert network.box_head is not None
        self.head, self.frame = network.box_head, BoxFrame(seen.study.frame)
        self.features = network.features(seen).float()[None]

    @torch.inference_mode()
    def __call__(self, states: Tensor) -> tuple[tuple[FoundBox, ...], ...]:
        owner = torch.zeros(len(states), dtype=torch.long, device=states.device)
        return read_boxes(self.head(states.float(), self.features, owner), self.frame)


class _Support:
    """Judges sentences about one scan."""

    def __init__(self, network: RegionReporter, seen: EncodedStudy) -> None:
        self.network, self.seen = network, seen

    @torch.inference_mode()
    def __call__(self, region_id: str, text: str) -> float:
        return float(self.network.support(self.seen, region_id, [text])[0])
