"""The command that makes a patient who is known: scan, true masks, and the truth in words and numbers."""

from __future__ import annotations

import argparse
from dataclasses import replace

from ..anatomy.regions import Side, Zone
from ..errors import InputRefused
from ..imaging.atomic import whole_files
from ..imaging.seg_nrrd import write_segmentation
from ..imaging.write import write_nifti
from ..phantom.case import PhantomCase, make_case
from ..phantom.recipe import Finding, FindingKind, Recipe, Scan
from .outputs import write_json
from .watch import run


def phantom(arguments: argparse.Namespace) -> None:
    """Write ct.nii.gz, truth.seg.nrrd and case.json of a phantom patient."""
    recipe = recipe_of(arguments)
    with whole_files(arguments.output) as folder:
        case: PhantomCase = run(make_case(recipe), arguments.json_progress)
        write_nifti(case.volume, folder / "ct.nii.gz")
        write_segmentation(case.masks, folder / "truth.seg.nrrd")
        write_json(folder / "case.json", case.to_dict())
    print(arguments.output / "ct.nii.gz")


def recipe_of(arguments: argparse.Namespace) -> Recipe:
    """Return the recipe that the arguments ask for; InputRefused names what is out of range."""
    if arguments.seed < 0:
        raise InputRefused(f"--seed must not be negative, got {arguments.seed}")
    try:
        given = {"rows": arguments.rows, "slices": arguments.slices, "step_mm": arguments.step}
        given = {name: value for name, value in given.items() if value is not None}
        recipe = Recipe.random(arguments.seed, Scan(**given) if given else None)
        if arguments.finding is None:
            return recipe
        return replace(recipe, findings=tuple(_finding(words) for words in arguments.finding if words != "none"))
    except ValueError as cause:
        raise InputRefused(str(cause)) from cause


def _finding(words: str) -> Finding:
    kind, *rest = words.split(":")
    if kind not in {k.value for k in FindingKind}:
        raise ValueError(f"unknown finding {kind!r}, known are {', '.join(k.value for k in FindingKind)}")
    size, side, zone = (*rest, "", "", "")[:3]
    return Finding(
        FindingKind(kind),
        float(size) if size else None,
        Side(side) if side else None,
        Zone(zone) if zone else None,
    )
