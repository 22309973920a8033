"""Keeps cases on disk, so that each is made once; several processes may fill the same folder."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch

from ..anatomy.regions import Side
from ..imaging.atomic import whole_file
from ..imaging.box import Box
from ..imaging.grid import Grid
from ..model.inputs import StudyInputs
from ..report.sentence import Polarity
from .case import Case, CaseSentence, Source, Topic


@dataclass(frozen=True, slots=True)
class Cached:
    """A source whose cases are kept in `folder`."""

    source: Source
    folder: Path

    @property
    def name(self) -> str:
        """The name of the source itself."""
        return self.source.name

    def __len__(self) -> int:
        """Return the number of cases."""
        return len(self.source)

    def case(self, number: int) -> Case:
        """Return a case from disk, or make it and keep it; what is damaged is made anew."""
        path = self.folder / self.name / f"{number:06d}.npz"
        if path.exists():
            try:
                return read_case(path)
            except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error):
                path.unlink(missing_ok=True)
        case = self.source.case(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            write_case(case, file)
        return case


def write_case(case: Case, file: Any) -> None:
    """Write a case as compressed arrays and one JSON text."""
    inputs = case.inputs
    told = {
        "id": case.id,
        "frame": inputs.frame.to_dict(),
        "attributes": list(inputs.attributes),
        "regions": list(inputs.regions),
        "wordings": [[_plain(sentence) for sentence in wording] for wording in case.wordings],
    }
    if case.covers is not None:
        told["covers"] = list(case.covers)
    arrays = {"slices": inputs.slices, "masks": inputs.masks, "crops": inputs.crops}
    arrays |= {f"cover{n}": cover for n, cover in enumerate((case.covers or {}).values())}
    plain: Any = {name: value.numpy() for name, value in arrays.items()}
    text = np.frombuffer(json.dumps(told).encode(), dtype=np.uint8)
    np.savez_compressed(file, told=text, **plain)


def read_case(path: Path) -> Case:
    """Read a case that `write_case` wrote; ValueError or KeyError for anything else."""
    with np.load(path, allow_pickle=False) as stored:
        told = json.loads(stored["told"].tobytes())
        slices, masks, crops = (torch.from_numpy(stored[name]) for name in ("slices", "masks", "crops"))
        kinds = told.get("covers")
        covers = (
            {kind: torch.from_numpy(stored[f"cover{n}"]) for n, kind in enumerate(kinds)} if kinds is not None else None
        )
    regions = tuple(told["regions"])
    frame = Grid.from_dict(told["frame"])
    inputs = StudyInputs(slices, masks, crops, tuple(told["attributes"]), frame, regions, regions)
    wordings = tuple(tuple(_sentence(s) for s in wording) for wording in told["wordings"])
    return Case(told["id"], inputs, wordings, covers)


def _plain(sentence: CaseSentence) -> dict[str, Any]:
    return {
        "region": sentence.region_id,
        "text": sentence.text,
        "boxes": [[*box.min_mm, *box.max_mm] for box in sentence.boxes],
        "topics": [[t.kind, t.polarity.value, [s.value for s in t.sides]] for t in sentence.topics],
    }


def _sentence(value: dict[str, Any]) -> CaseSentence:
    return CaseSentence(
        value["region"],
        value["text"],
        tuple(Box((x0, y0, z0), (x1, y1, z1)) for x0, y0, z0, x1, y1, z1 in value["boxes"]),
        tuple(Topic(kind, Polarity(polarity), tuple(map(Side, sides))) for kind, polarity, sides in value["topics"]),
    )
