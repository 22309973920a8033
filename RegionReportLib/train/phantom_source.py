"""Phantoms as cases to learn from, made when they are asked for; a seed is a patient."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..imaging.grid import Grid
from ..imaging.resample import nearest
from ..measure.examine import measure
from ..measure.phrases import attributes_text
from ..model.config import ModelConfig
from ..model.inputs import pooled, study_inputs, working_grid
from ..phantom.case import PhantomCase
from ..phantom.study import training_case
from ..phantom.wording import TrueSentence
from ..progress import finish
from ..report.measurement import Measurement
from .case import Case, CaseSentence, Topic
from .recipe import Data

VERSION = 3
"""Counts changes of what a kept case holds."""


@dataclass(frozen=True, slots=True)
class PhantomSource:
    """The phantoms of `count` seeds from `first` on, as `config` wants to see them."""

    config: ModelConfig
    data: Data
    first: int
    count: int

    @property
    def name(self) -> str:
        """Seeds and a digest of all that a case depends on but its number."""
        sizes = (self.config.slices.size, self.config.slices.sample_mm, self.config.local.size_hwd)
        depends = (VERSION, sizes, self.config.regions, self.data.shape_kji, self.data.evenness, self.data.wordings)
        return f"phantoms-{self.first}-{hashlib.sha256(repr(depends).encode()).hexdigest()[:12]}"

    def __len__(self) -> int:
        """Return the number of patients."""
        return self.count

    def case(self, number: int) -> Case:
        """Make a patient; the measurements are those of the scan and not the truth."""
        phantom = self.phantom(number)
        return self.case_of(number, phantom, finish(measure(phantom.volume, phantom.masks)))

    def phantom(self, number: int) -> PhantomCase:
        """Make the phantom behind a case."""
        if not 0 <= number < self.count:
            raise IndexError(f"patient {number} of {self.count}")
        return training_case(self.first + number, self.data.shape_kji, evenness=self.data.evenness)

    def case_of(self, number: int, phantom: PhantomCase, measurements: tuple[Measurement, ...]) -> Case:
        """Return the case of a phantom that is made and measured already."""
        seed = self.first + number
        lines = attributes_text(measurements).splitlines()
        inputs = finish(study_inputs(phantom.volume, phantom.masks, self.config, lines))
        reports = [phantom]
        reports += [phantom.reworded(np.random.default_rng([seed, 3, n])) for n in range(1, self.data.wordings)]
        covers = finding_covers(phantom, inputs.frame, self.config)
        return Case(f"phantom-{seed}", inputs, tuple(report_of(report) for report in reports), covers)


def finding_covers(phantom: PhantomCase, frame: Grid, config: ModelConfig) -> dict[str, Tensor]:
    """Return how much of each cell each finding covers, `Case.covers`: two by two cells to a patch of `frame`.

    Masks are looked at twice as finely along the slices, so that a small finding is not stepped over.
    """
    depth, height, width = config.slices.size
    cell = config.slices.patch // 2
    finer = working_grid(frame.box, (2 * depth, height, width))
    covers: dict[str, Tensor] = {}
    for kind in sorted({lesion.planted.kind.value for lesion in phantom.lesions}):
        there = np.zeros(phantom.volume.grid.shape_kji, dtype=np.uint8)
        for lesion in phantom.lesions:
            if lesion.planted.kind.value == kind:
                there[lesion.where] |= lesion.mask
        cover = pooled(nearest(there, phantom.volume.grid, finer) * 255, (depth, height // cell, width // cell))
        covers[kind] = cover.round().to(torch.uint8)
    return covers


def report_of(phantom: PhantomCase) -> tuple[CaseSentence, ...]:
    """Return the report of a phantom, region by region."""
    return tuple(_sentence(phantom, s) for text in phantom.texts.values() for s in text.sentences)


def _sentence(phantom: PhantomCase, said: TrueSentence) -> CaseSentence:
    topics = tuple(Topic(claim.kind.value, claim.polarity, claim.sides) for claim in said.claims)
    return CaseSentence(said.region_id, said.text, phantom.boxes(said), topics)
