"""The region-token writer whose network is elsewhere: it looks at its scan, and asks another process for the words.

So many processes read, segment and measure while one holds the network and writes for several of them at once. What is
asked is small, a few megabytes; what comes back is what `RegionTokenWriter` gets from a network of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import InputRefused
from ..measure.phrases import attributes_text
from ..progress import Progress, Work, aside, finish, part
from ..report.sentence import Sentence
from .choose import WriterChoice, model_folder
from .region_token_writer import NAME, covered_regions, open_network, origin_of, sentences_of
from .writer import Seen

if TYPE_CHECKING:
    from ..model.generate import RegionText
    from ..model.inputs import StudyInputs
    from ..model.network import RegionReporter

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What the network must know to write about a scan: its tensors, and the regions to write about."""

    inputs: StudyInputs
    region_ids: tuple[str, ...]


Texts: TypeAlias = "tuple[RegionText, ...]"
Ask: TypeAlias = Callable[[Asked], Texts]
"""Returns the texts of the regions in the order asked for, or raises what kept the network from writing."""


def need_several(choice: WriterChoice) -> None:
    """Raise InputRefused unless the chosen writer can write about several scans at once."""
    if choice.name != NAME:
        raise InputRefused(f"the {choice.name} writer writes about one study at a time; several at once can {NAME}")


class AskingWriter:
    """Writes the words that `ask` returns; `folder` holds the model that is asked, whose weights are not read here."""

    def __init__(self, folder: Path, ask: Ask) -> None:
        self._folder, self._ask = folder, ask
        self._config: Any = None

    @property
    def name(self) -> str:
        """The name under which a user chooses this writer."""
        return NAME

    def write(self, seen: Seen) -> Work[tuple[Sentence, ...]]:
        """Return the model's sentences in report order, and what it did not report."""
        from ..model.checkpoint import from_plain, read_content
        from ..model.config import ModelConfig
        from ..model.inputs import study_inputs

        if self._config is None:
            self._config = from_plain(ModelConfig, read_content(self._folder)["config"])
        lines = attributes_text(seen.measurements).splitlines()
        inputs = yield from part(study_inputs(seen.volume, seen.masks, self._config, lines), 0.0, 0.3)
        asked = Asked(inputs, covered_regions(seen))
        texts = yield from aside(lambda: self._ask(asked), Progress(0.3, "waiting for the words"))
        return sentences_of(texts, seen, origin_of(self._folder))


class ManyTexts:
    """Writes about several scans at once with the chosen model, which is opened when it is first asked."""

    def __init__(self, choice: WriterChoice) -> None:
        need_several(choice)
        self._choice = choice
        self._network: RegionReporter | None = None

    def write(self, asked: Sequence[Asked]) -> list[Texts | Exception]:
        """Return for each scan its texts, or what kept the network from writing them.

        What goes wrong with several, be it one of them or that they do not fit into memory together, is tried again
        with each alone; so one scan does not touch the others.
        """
        try:
            return list(self._written(asked))
        except Exception as error:
            if len(asked) == 1:
                return [error]
            _log.warning("%d scans could not be written together, now each alone: %s", len(asked), error)
        return [answer for one in asked for answer in self.write([one])]

    def _written(self, asked: Sequence[Asked]) -> tuple[Texts, ...]:
        from ..model.generate_many import write_studies
        from ..model.generate_open import open_study

        if self._network is None:
            choice = self._choice
            self._network = finish(open_network(model_folder(choice), choice.device, choice.precision))
        opened = [finish(open_study(self._network, one.inputs)) for one in asked]
        return finish(write_studies(opened, region_ids=[one.region_ids for one in asked]))
