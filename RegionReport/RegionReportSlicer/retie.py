"""Tying a sentence to another place: one of the report's places from a menu, or a box that the reader draws."""

import qt
import slicer

from RegionReportLib.anatomy import regions as anatomy
from RegionReportLib.errors import RegionReportError
from RegionReportLib.imaging.box import Box

_START_MM = 40.0


class RetieMenu:
    """The menu of the re-tie button; `act(name, *arguments)` does what was chosen, `say(text)` tells the user."""

    def __init__(self, button, act, say):
        self._button = button
        self._act = act
        self._say = say
        self._menu = qt.QMenu(button)
        self._session = None
        self._roi = None
        self._region_id = None
        self.find = lambda: None  # looks for the place by the words of the sentence; the panel sets it
        button.setMenu(self._menu)

    def fill(self, session):
        """Offer the places of the open report, by region."""
        self._session = session
        self._menu.clear()
        if session is None:
            return
        if self.drawing:
            self._menu.addAction("Use the drawn box").connect("triggered()", self.take_box)
            self._menu.addAction("Leave it").connect("triggered()", self.drop_box)
            return
        for region in anatomy.regions():
            submenu = self._menu.addMenu(region.name)
            for name, place in _by_name(session.report, region.id).items():
                submenu.addAction(name).connect("triggered()", self._tie(place))
            submenu.addSeparator()
            submenu.addAction("Draw a box…").connect("triggered()", self._draw(region.id))
        self._menu.addSeparator()
        self._menu.addAction("Find it by its words (P)").connect("triggered()", lambda: self.find())
        self._menu.addAction("It has no place").connect("triggered()", lambda: self._act("mark_placeless"))

    def show(self):
        """Open the menu where the button is."""
        self._menu.popup(self._button.mapToGlobal(qt.QPoint(0, self._button.height)))

    @property
    def drawing(self):
        """Tell whether a box is being drawn."""
        return self._roi is not None and self._roi.GetScene() is not None

    def take_box(self):
        """Tie the chosen sentence to the box that was drawn and remove it."""
        if not self.drawing or self._session is None:
            return
        bounds = [0.0] * 6
        self._roi.GetRASBounds(bounds)
        corners = [(x, y, z) for x in bounds[:2] for y in bounds[2:4] for z in bounds[4:]]
        try:
            box = Box.around([self._session.viewer.report_point(corner) for corner in corners])
        except RegionReportError as problem:
            self._say(str(problem))
            return
        self.drop_box()
        self._act("retie_to_box", self._region_id, box)

    def drop_box(self):
        """Leave the box that is being drawn."""
        roi, self._roi = self._roi, None
        if roi is not None and roi.GetScene() is not None:
            slicer.mrmlScene.RemoveNode(roi)
        self.fill(self._session)

    def _tie(self, place):
        return lambda: self._act("retie", place.region_id, place.side, place.zone, place.structure)

    def _draw(self, region_id):
        def start():
            self._region_id = region_id
            self._roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Place of the sentence")
            self._roi.SetSaveWithScene(False)
            self._roi.CreateDefaultDisplayNodes()
            self._roi.GetDisplayNode().SetFillOpacity(0.1)
            self._roi.SetCenter(_middle_of_the_views())
            self._roi.SetSize(_START_MM, _START_MM, _START_MM)
            self.fill(self._session)
            self._say("Move the box and its handles to the place, then press R.")

        return start


def _by_name(report, region_id):
    """Return the places of a region, each name once: two findings of one zone are one place to tie to."""
    places = {}
    for place in report.places:
        if place.region_id == region_id:
            places.setdefault(place.name, place)
    return places


def _middle_of_the_views():
    """Return a point that the reader sees: the middle of the first slice view."""
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSliceNode")
    matrix = node.GetSliceToRAS()
    return [matrix.GetElement(row, 3) for row in range(3)]
