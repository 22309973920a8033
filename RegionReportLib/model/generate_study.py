"""What is written about and what comes of it: a scan that the network has read, sentences, and the texts of regions.

Values alone; `generate` and `generate_many` do the writing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from torch import Tensor

from ..progress import Progress
from .box_head import FoundBox
from .generate_choice import Sampling
from .generate_decode import Prefix
from .generate_sentences import Decode, Ending, Limits, Marks

FindBoxes: TypeAlias = Callable[[Tensor], tuple[tuple[FoundBox, ...], ...]]
"""Returns the boxes for each of the states `(K, E)` in which a mark of a box was written."""
Support: TypeAlias = Callable[[str, str], float]
"""Returns how well a sentence agrees with the image of a region, 0..1, from region id and text."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to write: the likeliest words, or by chance with `sampling`; and how much at most."""

    sampling: Sampling | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class WrittenSentence:
    """A sentence about a region; `mean_log_probability` is natural and over its ids.

    `support` 0..1 is its agreement with the image, None where the model cannot say. `boxes` are those of its marks,
    surest first.
    """

    region_id: str
    number: int
    text: str
    mean_log_probability: float
    tokens: int
    support: float | None = None
    boxes: tuple[FoundBox, ...] = ()


@dataclass(frozen=True, slots=True)
class RegionText:
    """All that was written about a region and why it came to its end.

    `named` 0..1 is the chance that the model would have given the region its name itself, None if names are not given.
    """

    region_id: str
    sentences: tuple[WrittenSentence, ...]
    ending: Ending
    named: float | None = None


@dataclass(frozen=True, slots=True)
class SentenceWritten(Progress):
    """Progress that brings a finished sentence; `study` is the number of its study among those written together."""

    sentence: WrittenSentence
    study: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class OpenStudy:
    """A scan that the network has read: the shared `prefix`, the prompt `(Q, E)` of each region, and who judges.

    `names` are ids that follow a prompt and are given, not written. `findings` are further prompts of a region, one for
    each finding that is settled: each gets a sentence, and the region's text goes on from these. `find_boxes` and
    `support` are None where the network has no such part.
    """

    language: Any
    prefix: Prefix
    prompts: Mapping[str, Tensor]
    decode: Decode
    marks: Marks
    names: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    findings: Mapping[str, tuple[Tensor, ...]] = field(default_factory=dict)
    find_boxes: FindBoxes | None = None
    support: Support | None = None
