"""One report on the desk: its folder, its nodes in the scene, and the session that works on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..anatomy import regions as anatomy
from ..errors import Conflict, InputRefused, NeedMissing, RegionReportError
from ..export.offers import Wishes, find_scan
from ..grounding.contradictions import check
from ..imaging.masks import RegionMasks
from ..imaging.volume import Volume
from ..report.document import Study
from ..report.journal import JOURNAL_NAME
from ..report.store import Draft, open_draft, view_draft
from ..review.session import Session
from ..scene.nodes import remove
from ..scene.pointing import Manner, SceneViewer
from ..scene.regions_here import regions_at
from ..scene.segmentation_nodes import masks_to_node, remove_masks
from ..scene.volume_nodes import volume_to_node
from .boxing import Boxing
from .views import FourViews, Point

_FIRST_WINDOW = anatomy.region("lungs").window
"""How the scan is shown at first: its own contrast, made from all values, is too flat to read."""


class Desk:
    """A scan in the views, and, once `open` was called, the review of its report."""

    def __init__(self, views: FourViews, volume: Volume, name: str) -> None:
        self.views = views
        self.name = name
        self.folder: Path | None = None
        self.session: Session | None = None
        self.boxing: Boxing | None = None
        self.reading = ""
        """Why the draft can only be read, empty if it can be written."""
        self._volume_node = volume_to_node(views.scene, volume, name)
        self.segmentation_node: Any = None
        self.set_window(_FIRST_WINDOW)
        views.show(self._volume_node)

    def open(self, folder: Path, masks: RegionMasks, actor: str, changed: Callable[[], None]) -> Session:
        """Open the draft of a folder with its masks: for reading only if it cannot be written, see `reading`."""
        draft, self.reading = _opened(folder, actor)
        try:
            self.segmentation_node = masks_to_node(self.views.scene, self._volume_node, masks)
        except BaseException:
            draft.close()
            raise
        grid = draft.report.study.grid
        viewer = SceneViewer(self.views.scene, self._volume_node, self.segmentation_node, grid)
        self.folder = folder
        self.session = Session(draft, viewer, changed)
        self.boxing = Boxing(self.views, self.session)
        return self.session

    def set_manner(self, manner: Manner) -> None:
        """Bring places into view in another manner from now on."""
        if self.session is None:
            return
        viewer = self.session.viewer
        assert isinstance(viewer, SceneViewer)
        viewer.clear()  # what the old manner changed
        viewer.manner = manner
        self.session.show()

    @property
    def window(self) -> tuple[float, float]:
        """The CT window, width and level in HU."""
        display = self._volume_node.GetDisplayNode()
        return display.GetWindow(), display.GetLevel()

    def set_window(self, window: tuple[float, float]) -> None:
        """Set the CT window; it stays until the reader goes to a place with another one."""
        display = self._volume_node.GetDisplayNode()
        display.SetAutoWindowLevel(0)
        display.SetWindowLevel(*window)

    def find(self, world_mm: Point) -> tuple[str, ...]:
        """Mark the sentences about a place of the scene and return their ids."""
        if self.session is None:
            return ()
        regions = [here.region_id for here in regions_at(self.segmentation_node, world_mm)]
        viewer = self.session.viewer
        assert isinstance(viewer, SceneViewer)
        return self.session.find(viewer.report_point(world_mm), regions)

    def close(self) -> None:
        """Save, give the draft free and take everything out of the scene."""
        if self.session is not None:
            assert self.boxing is not None
            self.boxing.close()
            self.session.viewer.clear()
            self.session.draft.close()
            self.session = None
        if self.segmentation_node is not None:
            remove_masks(self.views.scene, self.segmentation_node)
        remove(self.views.scene, self._volume_node)
        self.views.refresh()


def _opened(folder: Path, actor: str) -> tuple[Draft, str]:
    """Open a draft for writing, or for reading where another has it or the folder cannot be written."""
    try:
        return open_draft(folder, actor=actor, check=check), ""
    except (Conflict, NeedMissing) as why:
        draft = view_draft(folder)
        return draft, str(why).removesuffix("; open it read-only").replace(str(folder), "", 1).replace("  ", " ")


def is_report(folder: Path) -> bool:
    """Tell whether a folder holds a draft or a signed report."""
    return (folder / JOURNAL_NAME).is_file()


def scan_of_report(folder: Path, study: Study, given: Path | None) -> Path:
    """Return where the scan of a report lies: where the reader says, where it was, or beside the report."""
    if given is not None:
        return given
    found = find_scan(folder, study, Wishes())
    if found is None:
        raise InputRefused(f"the scan of this report, {study.path}, is not there; name it with --volume PATH")
    return found


def words_of(error: BaseException) -> str:
    """Return what the reader is told of an error."""
    if isinstance(error, RegionReportError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.strerror or error}: {error.filename}" if error.filename else str(error.strerror or error)
    return f"an error of the program, see its log: {error}"
