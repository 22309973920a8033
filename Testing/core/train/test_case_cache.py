"""A case is made once and comes back from disk as it was."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from RegionReportLib.train.case import Case
from RegionReportLib.train.case_cache import Cached, read_case, write_case

from .conftest import Blobs


@dataclass(frozen=True)
class Counted:
    """Blobs that note which of them were made."""

    inner: Blobs
    made: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.inner.name

    def __len__(self) -> int:
        return len(self.inner)

    def case(self, number: int) -> Case:
        self.made.append(number)
        return self.inner.case(number)


def test_a_case_comes_back_as_it_was_made(tmp_path: Path, blobs: Blobs) -> None:
    cached = Cached(Counted(blobs), tmp_path)
    for number in (0, 3, 5):
        made, kept, again = blobs.case(number), cached.case(number), cached.case(number)
        for case in (kept, again):
            assert (case.id, case.wordings) == (made.id, made.wordings)
            for name in ("slices", "masks", "crops"):
                assert torch.equal(getattr(case.inputs, name), getattr(made.inputs, name))
            assert (case.inputs.frame, case.inputs.attributes) == (made.inputs.frame, made.inputs.attributes)
            assert case.inputs.slots == made.inputs.slots
            assert made.covers is not None
            assert case.covers is not None
            assert list(case.covers) == list(made.covers)
            assert all(torch.equal(case.covers[kind], cover) for kind, cover in made.covers.items())
    assert len(cached) == len(blobs)


def test_covers_that_nobody_knows_are_not_covers_of_nothing(tmp_path: Path, blobs: Blobs) -> None:
    with (tmp_path / "case.npz").open("wb") as file:
        write_case(replace(blobs.case(0), covers=None), file)
    assert read_case(tmp_path / "case.npz").covers is None


def test_it_is_made_once_for_all_who_share_the_folder(tmp_path: Path, blobs: Blobs) -> None:
    source = Counted(blobs)
    for cached in (Cached(source, tmp_path), Cached(source, tmp_path)):
        cached.case(1)
    assert source.made == [1]


def test_what_is_damaged_is_made_anew(tmp_path: Path, blobs: Blobs) -> None:
    source = Counted(blobs)
    cached = Cached(source, tmp_path)
    cached.case(1)
    (path,) = (tmp_path / blobs.name).glob("*.npz")
    path.write_bytes(path.read_bytes()[:200])
    assert cached.case(1).wordings == blobs.case(1).wordings
    assert source.made == [1, 1]
