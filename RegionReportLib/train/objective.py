"""The network together with its losses, as one module, so that a step is one forward call on any number of devices.

Each loss is a mean over studies, so that studies may be spread over processes and the mean of the processes' losses is
that of all. Texts of all processes are columns of the contrast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (the name all torch code uses)
from torch import Tensor, distributed, nn

from ..model.box_head import BoxGuesses
from ..model.network import Contrasted, Output, RegionReporter
from .box_losses import box_losses
from .contrast import DiversityQueue, Texts, structure_contrast
from .example import Example
from .finding_losses import FindingHeads, Labels, place_loss, plan_loss
from .recipe import Stage
from .writing_loss import runs_of, states_that_write, weights_of_runs, writing_loss

QUEUE = 64
"""Texts that are kept for each structure; the paper keeps 1,000 of a thousand times as many cases."""


class Objective(nn.Module):
    """A network with what only its training needs: a queue of texts, and heads that are asked for the findings `labels`
    of regions (None or empty: no such loss). `forward` returns the losses of a stage by name, unweighted."""

    def __init__(self, network: RegionReporter, labels: Labels | None = None, queue: int = QUEUE) -> None:
        super().__init__()
        self.network = network
        config = network.config
        self.findings = FindingHeads(labels, config) if labels is not None and labels.names else None
        if network.plan is not None and labels is not None:
            network.plan.limit(labels.asked)
        self.queue = (
            DiversityQueue(len(config.regions), queue, config.structure.embedding) if config.parts.support else None
        )

    def forward(self, examples: Sequence[Example], stage: Stage) -> dict[str, Tensor]:
        """Return the losses that `stage` follows; in training mode the queue takes in the texts."""
        wanted = [name for name in stage.losses if self._can(name)]
        contrast = "contrast" in wanted or "support" in wanted
        writing = bool({"writing", "plan", "boxes"} & set(wanted))
        output: Output = self.network([one.study for one in examples], writing=writing, contrast=contrast)
        made = {
            "contrast": self._contrast,
            "support": self._support,
            "findings": self._findings,
            "places": self._places,
            "writing": self._writing,
            "plan": self._plan,
            "boxes": self._boxes,
        }
        return {name: made[name](output, examples, stage) for name in wanted}

    def _can(self, loss: str) -> bool:
        if loss in ("contrast", "support"):
            return bool(self.network.config.parts.support)
        if loss == "plan":
            return self.network.plan is not None
        if loss == "findings":
            return self.findings is not None and bool(self.findings.of_regions)
        if loss == "places":
            return bool(self.network.config.finding_tokens)
        return loss != "boxes" or self.network.box_head is not None

    def _contrast(self, output: Output, examples: Sequence[Example], stage: Stage) -> Tensor:
        assert output.contrasted is not None and self.queue is not None
        told = output.contrasted
        rows = told.told.flatten()  # (B·R,)
        structures = torch.arange(told.text.shape[1], device=rows.device).expand(told.told.shape).flatten()
        batch, own = gathered(told, rows, structures)
        columns = self.queue.with_batch(batch)
        image = told.image.flatten(0, 1)[rows]
        loss = structure_contrast(image, own, columns) * (rows.sum() / len(rows)) if rows.any() else image.sum() * 0.0
        if self.training:
            self.queue.push(Texts(batch.vectors.detach(), batch.structures))
        return loss

    def _support(self, output: Output, examples: Sequence[Example], stage: Stage) -> Tensor:
        assert output.contrasted is not None
        logits = output.contrasted.support
        parts = torch.split(logits, [len(one.true) for one in examples])
        each = [
            F.binary_cross_entropy_with_logits(part, one.true.to(part)) if len(part) else logits.sum() * 0.0
            for part, one in zip(parts, examples, strict=True)
        ]
        return torch.stack(each).mean()

    def _findings(self, output: Output, examples: Sequence[Example], stage: Stage) -> Tensor:
        assert self.findings is not None
        each = [
            self.findings.loss(tokens, one.shown) for tokens, one in zip(output.region_tokens, examples, strict=True)
        ]
        return torch.stack(each).mean()

    def _places(self, output: Output, examples: Sequence[Example], stage: Stage) -> Tensor:
        kinds, asked = self.network.config.findings, self.network.visual.finding_map
        patches = output.features.transpose(1, 2)  # (B, D, C, h, w)
        each = [
            place_loss(asked(own), kinds, one.covers) if one.covers is not None else own.sum() * 0.0
            for own, one in zip(patches, examples, strict=True)
        ]
        return torch.stack(each).mean()

    def _writing(self, output: Output, examples: Sequence[Example], stage: Stage) -> Tensor:
        assert output.written is not None
        raised = torch.ones(output.written.logits.shape[-1], device=output.written.logits.device)
        raised[self.network.tokenizer.box_id] = stage.box_weight
        sums = [
            writing_loss(logits[None], labels[None], raised, self._weights(one, labels, stage.affirmed)[None])
            for one, logits, labels in zip(examples, output.written.logits, output.written.labels, strict=True)
        ]
        return torch.stack([total / weight.clamp(min=1) for total, weight in sums]).mean()

    def _plan(self, output: Output, examples: Sequence[Example], stage: Stage) -> Tensor:
        assert output.written is not None and self.network.plan is not None
        each = []
        for one, hidden, labels in zip(examples, output.written.hidden, output.written.labels, strict=True):
            # Before a text comes the token of its plan, and before that the end of the prompt, which settles it. All
            # texts of a region have the same prompt.
            slots = one.study.study.slots
            counts = [1 + len(self.network.apart(one.study, region_id)) for region_id in slots]
            runs = runs_of(labels)
            ends = [runs[sum(counts[:n])][0] - 2 for n in range(len(slots))]
            each.append(plan_loss(self.network.plan, hidden[ends], slots, one.shown))
        return torch.stack(each).mean()

    def _weights(self, one: Example, labels: Tensor, affirmed: float) -> Tensor:
        """Return the weights of a study's words: `affirmed` for those of findings, be they written alone or not."""
        counts = []
        for region_id in one.study.study.slots:
            told = [sentence.text for sentence in one.study.told.get(region_id, ())]
            if self.network.apart(one.study, region_id):
                counts += [*(len(self.network.target_ids(region_id, text)) for text in told), 0]
            else:
                # A text ends with a mark that the words of findings do not have.
                counts.append(len(self.network.target_ids(region_id, "\n".join(told))) - 1 if told else 0)
        return weights_of_runs(labels, counts, affirmed)

    def _boxes(self, output: Output, examples: Sequence[Example], stage: Stage) -> Tensor:
        assert output.written is not None and self.network.box_head is not None
        box_id = self.network.tokenizer.box_id
        counts = [len(one.lesions) for one in examples]
        states = states_that_write(output.written.hidden, output.written.labels, box_id)
        if len(states) != sum(counts):
            raise ValueError(f"{len(states)} marks of boxes were written, but lesions are given for {sum(counts)}")
        if not len(states):
            return output.features.sum() * 0.0
        owner = torch.repeat_interleave(torch.arange(len(examples)), torch.tensor(counts)).to(states.device)
        guesses: BoxGuesses = self.network.box_head(states.float(), output.features.float(), owner)
        each, start = [], 0
        for one, count in zip(examples, counts, strict=True):
            stop = start + count
            own = BoxGuesses(guesses.boxes[start:stop], guesses.existence[start:stop], guesses.choice[start:stop])
            if count:
                each.append(box_losses(own, [lesion.to(states.device) for lesion in one.lesions]).total)
            start = stop
        return torch.stack(each).sum() / len(examples)


def gathered(told: Contrasted, rows: Tensor, structures: Tensor) -> tuple[Texts, Tensor]:
    """Return the texts of all processes, in the order of the whole batch, and which of them are this process's own."""
    texts = told.text.flatten(0, 1)
    if not (distributed.is_available() and distributed.is_initialized()) or distributed.get_world_size() == 1:
        return Texts(texts[rows], structures[rows]), torch.arange(int(rows.sum()), device=rows.device)
    gather: Any = _Gathered.apply
    all_texts, all_rows = gather(texts), gather(rows.float()).bool()
    before = int(all_rows[: len(rows) * distributed.get_rank()].sum())
    count = distributed.get_world_size()
    return (
        Texts(all_texts[all_rows], structures.repeat(count)[all_rows]),
        before + torch.arange(int(rows.sum()), device=rows.device),
    )


class _Gathered(torch.autograd.Function):
    """The rows of all processes in their order; a row's gradient is the sum of what all processes have for it."""

    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:
        parts = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, own.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous()
        distributed.all_reduce(total)
        return total.chunk(distributed.get_world_size())[distributed.get_rank()]
