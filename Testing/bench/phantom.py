"""How fast phantoms are made, and where the time goes: `python Testing/bench/phantom.py --cases 20`.

Counts processor time of one process, so a busy machine distorts it less than a clock would. Prints cases per second
of training cases at a coarse size, the share of each step, and one full case for comparison.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict

import numpy as np

from RegionReportLib.phantom.case import PhantomCase, make_case
from RegionReportLib.phantom.recipe import Recipe, Scan
from RegionReportLib.phantom.study import COARSE_KJI, training_recipe


def made(recipe: Recipe, spent: dict[str, float]) -> PhantomCase:
    """Make a case and add the seconds of processor time of each step to `spent`."""
    work = make_case(recipe)
    step, since = "drawing the patient", time.process_time()
    try:
        while True:
            progress = next(work)
            now = time.process_time()
            spent[step] += now - since
            step, since = progress.stage, now
    except StopIteration as done:
        spent[step] += time.process_time() - since
        return done.value


def print_steps(spent: dict[str, float], cases: int) -> None:
    """Print the time of each step per case; the placing of all findings counts as one."""
    merged: dict[str, float] = defaultdict(float)
    for step, seconds in spent.items():
        merged["placing the findings" if step.startswith("placing") else step] += seconds
    total = sum(merged.values())
    for step, seconds in sorted(merged.items(), key=lambda item: -item[1]):
        print(f"  {step:24}{1000 * seconds / cases:8.0f} ms{100 * seconds / total:6.0f} %")


def main() -> None:
    """Make the cases and print the rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20)
    parser.add_argument("--shape", type=int, nargs=3, default=COARSE_KJI, metavar=("K", "J", "I"))
    arguments = parser.parse_args()
    shape = tuple(arguments.shape)
    made(training_recipe(0, shape), defaultdict(float))  # what is computed once
    spent: dict[str, float] = defaultdict(float)
    per_case = []
    for seed in range(1, arguments.cases + 1):
        before = time.process_time()
        made(training_recipe(seed, shape), spent)
        per_case.append(time.process_time() - before)
    middle, slowest = np.median(per_case), max(per_case)
    print(f"{' × '.join(map(str, shape))} voxels: {len(per_case) / sum(per_case):.2f} cases/s on one core")
    print(f"median {middle:.2f} s, slowest {slowest:.2f} s, {arguments.cases} cases")
    print_steps(spent, arguments.cases)
    full: dict[str, float] = defaultdict(float)
    before = time.process_time()
    case = made(Recipe.random(1, Scan()), full)
    shape = case.volume.hu.shape
    print(f"one full case of {' × '.join(map(str, shape))} voxels: {time.process_time() - before:.1f} s")


if __name__ == "__main__":
    main()
