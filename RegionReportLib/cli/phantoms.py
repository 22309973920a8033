"""The command that makes a patient who is known: scan, true masks, and the truth in words and numbers."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from ..anatomy.regions import Side, Zone, region
from ..errors import InputRefused
from ..export.picture import Mark, Plane, slice_picture
from ..imaging.atomic import whole_files
from ..imaging.seg_nrrd import write_segmentation
from ..imaging.write import write_nifti
from ..phantom.case import PhantomCase, make_case
from ..phantom.recipe import Finding, FindingKind, Recipe, Scan
from ..phantom.study import random_recipe
from .outputs import write_json
from .watch import run


def phantom(arguments: argparse.Namespace) -> None:
    """Write ct.nii.gz, truth.seg.nrrd, case.json and report.txt of a phantom patient, with --pictures also those."""
    recipe = recipe_of(arguments)
    with whole_files(arguments.output) as folder:
        case: PhantomCase = run(make_case(recipe), arguments.json_progress)
        write_nifti(case.volume, folder / "ct.nii.gz")
        write_segmentation(case.masks, folder / "truth.seg.nrrd")
        write_json(folder / "case.json", case.to_dict())
        (folder / "report.txt").write_text(_report_text(case), encoding="utf-8")
        if arguments.pictures:
            _write_pictures(case, folder / "pictures")
    print(arguments.output / "ct.nii.gz")


def _report_text(case: PhantomCase) -> str:
    """Return the true report, a paragraph for each region."""
    return "\n\n".join(f"{region(r).name}: {text.text}" for r, text in case.texts.items() if text.text) + "\n"


def _write_pictures(case: PhantomCase, folder: Path) -> None:
    """Write an axial and a coronal slice through each lesion, with its box, side by side."""
    folder.mkdir()
    for lesion in case.lesions:
        planted = lesion.planted
        planes = (Plane.AXIAL, Plane.CORONAL)
        pair = [
            slice_picture(case.volume, case.masks, plane, lesion.point_mm, Mark(planted.region_id, lesion.box))
            for plane in planes
        ]
        both = Image.new("RGB", (sum(one.width for one in pair), pair[0].height))
        both.paste(pair[0], (0, 0))
        both.paste(pair[1], (pair[0].width, 0))
        both.save(folder / f"{planted.number:02d}-{planted.kind.value}.png")


def recipe_of(arguments: argparse.Namespace) -> Recipe:
    """Return the recipe that the arguments ask for; InputRefused names what is out of range."""
    if arguments.seed < 0:
        raise InputRefused(f"--seed must not be negative, got {arguments.seed}")
    if arguments.random and arguments.finding:
        raise InputRefused("--random draws the findings, so --finding cannot be given with it")
    try:
        given = {"rows": arguments.rows, "slices": arguments.slices, "step_mm": arguments.step}
        given = {name: value for name, value in given.items() if value is not None}
        scan = Scan(**given) if given else None
        if arguments.random:
            return replace(random_recipe(np.random.default_rng(arguments.seed), scan), seed=arguments.seed)
        recipe = Recipe.random(arguments.seed, scan)
        if arguments.finding is None:
            return recipe
        return replace(recipe, findings=tuple(_finding(words) for words in arguments.finding if words != "none"))
    except ValueError as cause:
        raise InputRefused(str(cause)) from cause


def _finding(words: str) -> Finding:
    kind, *rest = words.split(":")
    if kind not in {k.value for k in FindingKind}:
        raise ValueError(f"unknown finding {kind!r}, known are {', '.join(k.value for k in FindingKind)}")
    if len(rest) > 4:
        raise ValueError(f"a finding is KIND[:SIZE[:SIDE[:ZONE[:VARIETY]]]], got {words!r}")
    size, side, zone, variety = (*rest, "", "", "", "")[:4]
    return Finding(
        FindingKind(kind),
        float(size) if size else None,
        Side(side) if side else None,
        Zone(zone) if zone else None,
        variety or None,
    )
