"""Drafts with a region-token model: seconds from the masks to the first sentence, memory, and what is written.

    python Testing/bench/model_draft.py [--model FOLDER] [--threads N] [SCAN ...]

Without a model the one that comes with the program; without scans a phantom as coarse as those of the training and one
of 512×512×300. Each is segmented by the built-in method before the clock starts, and drafted twice: by a writer that
must open its model first, and by the same writer again. Prints a Markdown table, then each scan's sentences.
"""

from __future__ import annotations

import argparse
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

from RegionReportLib.anatomy.regions import region
from RegionReportLib.draft.choose import WriterChoice, writer
from RegionReportLib.draft.pipeline import Draft, draft
from RegionReportLib.draft.streaming import Wrote
from RegionReportLib.draft.writer import Writer
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.imaging.volume import Volume
from RegionReportLib.phantom.study import training_case
from RegionReportLib.progress import finish
from RegionReportLib.report.place import AnchorSource
from RegionReportLib.segment.choose import segmenter

AT = "2026-01-01T00:00:00+00:00"
SEED = 3_000_000
SHAPES = ((96, 128, 128), (300, 512, 512))


class Peak:
    """The most resident megabytes of this process while it is open, more than there were at its beginning."""

    def __enter__(self) -> Peak:
        self._process, self._over = psutil.Process(), threading.Event()
        self._before = self.megabytes = self._now()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def more(self) -> float:
        return self.megabytes - self._before

    def _now(self) -> float:
        return self._process.memory_info().rss / 2**20

    def _sample(self) -> None:
        while not self._over.wait(0.02):
            self.megabytes = max(self.megabytes, self._now())


@dataclass(frozen=True)
class Timed:
    """A draft with the seconds from the masks to its first sentence and to its end."""

    made: Draft
    first_s: float
    all_s: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scans", nargs="*", type=Path, metavar="SCAN")
    parser.add_argument("--model", help="folder of a region-token model")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    drafts: dict[str, Draft] = {}
    print("| scan | first sentence (s) | with the model open (s) | all (s) | sentences | memory, added by this (MB) |")
    print("|" + " --- |" * 6)
    for name, volume in scans(arguments.scans):
        masks = finish(segmenter("classical").segment(volume))
        chosen = writer(WriterChoice("region-tokens", arguments.model, device="cpu"))
        with Peak() as peak:
            cold = timed(volume, masks, chosen)
            warm = timed(volume, masks, chosen)
        count = len(cold.made.report.sentences)
        print(f"| {name} | {cold.first_s:.2f} | {warm.first_s:.2f} | {warm.all_s:.2f} | {count} | ", end="")
        print(f"{peak.megabytes:.0f}, {peak.more:.0f} |", flush=True)
        drafts[name] = cold.made
    for name, made in drafts.items():
        print(f"\n## {name}\n\n{told(made)}")


def scans(paths: list[Path]) -> list[tuple[str, Volume]]:
    if not paths:
        return [("phantom " + "×".join(map(str, shape[::-1])), training_case(SEED, shape).volume) for shape in SHAPES]
    return [(f"{path.parent.name}/{path.name}", finish(read_volume(path))) for path in paths]


def timed(volume: Volume, masks: RegionMasks, chosen: Writer) -> Timed:
    began, first = time.perf_counter(), None
    work = draft(volume, segmenter("classical"), chosen, created_at=AT, masks=masks)
    while True:
        try:
            progress = next(work)
        except StopIteration as end:
            assert first is not None, "nothing was written"
            return Timed(end.value, first, time.perf_counter() - began)
        if first is None and isinstance(progress, Wrote):
            first = time.perf_counter() - began


def told(made: Draft) -> str:
    """Return the sentences by region, each with how well it agrees with the image and how sure its box is."""
    lines = []
    for sentence in made.report.sentences:
        marks = [f"agreement {sentence.support:.2f}"] if sentence.support is not None else []
        own = [anchor for anchor in sentence.anchors if anchor.source is AnchorSource.MODEL]
        marks += [f"box {anchor.confidence:.2f}" for anchor in own if anchor.confidence is not None]
        asked = region(sentence.asked_about).name if sentence.asked_about else "outside regions"
        lines.append(f"- {asked}: {sentence.text}" + (f" ({', '.join(marks)})" if marks else ""))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
