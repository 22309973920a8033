"""Tying a sentence to another place: one of the report's places from a menu, or a box that the reader draws."""

import qt
import slicer

from RegionReportLib.anatomy import regions as anatomy
from RegionReportLib.imaging.box import Box


class RetieMenu:
    """The menu of the re-tie button; `act(name, *arguments)` does what was chosen."""

    def __init__(self, button, act):
        self._button = button
        self._act = act
        self._menu = qt.QMenu(button)
        self._roi = None
        self._region_id = None
        button.setMenu(self._menu)

    def fill(self, session):
        """Offer the places of the open report, by region."""
        self._menu.clear()
        if session is None:
            return
        for region in anatomy.regions():
            places = [p for p in session.report.places if p.region_id == region.id]
            if not places:
                continue
            submenu = self._menu.addMenu(region.name)
            for place in places:
                action = submenu.addAction(place.name)
                action.connect("triggered()", self._tie(place))
            submenu.addSeparator()
            action = submenu.addAction("Draw a box …")
            action.connect("triggered()", self._draw(region.id))
        self._menu.addSeparator()
        self._menu.addAction("It has no place").connect("triggered()", lambda: self._act("mark_placeless"))

    def show(self):
        """Open the menu where the button is."""
        self._menu.popup(self._button.mapToGlobal(qt.QPoint(0, self._button.height)))

    def take_box(self, to_report):
        """Tie the sentence to the box that was drawn and remove it; `to_report` maps world to report millimetres."""
        if self._roi is None:
            return
        roi, self._roi = self._roi, None
        bounds = [0.0] * 6
        roi.GetRASBounds(bounds)
        slicer.mrmlScene.RemoveNode(roi)
        corners = [(x, y, z) for x in bounds[:2] for y in bounds[2:4] for z in bounds[4:]]
        self._act("retie_to_box", self._region_id, Box.around([to_report(corner) for corner in corners]))

    @property
    def drawing(self):
        """Tell whether a box is being drawn."""
        return self._roi is not None

    def _tie(self, place):
        return lambda: self._act("retie", place.region_id, place.side, place.zone, place.structure)

    def _draw(self, region_id):
        def start():
            self._region_id = region_id
            self._roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Place of the sentence")
            self._roi.CreateDefaultDisplayNodes()
            crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
            centre = [0.0, 0.0, 0.0]
            if crosshair is not None:
                crosshair.GetCrosshairRAS(centre)
            self._roi.SetCenter(centre)
            self._roi.SetSize(30.0, 30.0, 30.0)

        return start
