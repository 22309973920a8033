"""Stands in for `slicer.app.layoutManager()` and the view widgets it gives; other names raise.

The layout is kept and told, the window shows the four views whatever it is.
"""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from four_up import FourUp, ViewWidget


class SliceView:
    """`qMRMLSliceView`: the part of a slice widget that draws."""

    def __init__(self, widget: ViewWidget) -> None:
        self._widget = widget

    def interactor(self) -> Any:
        return self._widget.view.interactor()

    def interactorStyle(self) -> Any:
        return self._widget.view.interactor_style()

    def renderWindow(self) -> Any:
        return self._widget.view.render_window()

    def mrmlSliceNode(self) -> Any:
        return self._widget.view.get_view_node()

    def scheduleRender(self) -> None:
        self._widget.schedule()

    def forceRender(self) -> None:
        self._widget.draw()

    def displayableManagerByClassName(self, name: str) -> Any:
        return self._widget.view.get_displayable_manager_by_class(name)


class SliceWidget:
    """`qMRMLSliceWidget`."""

    def __init__(self, widget: ViewWidget) -> None:
        self._widget, self._view = widget, SliceView(widget)

    def sliceLogic(self) -> Any:
        return self._widget.view._logic

    def mrmlSliceNode(self) -> Any:
        return self._widget.view.get_view_node()

    def mrmlSliceCompositeNode(self) -> Any:
        return self._widget.view._logic.GetSliceCompositeNode()

    def sliceView(self) -> SliceView:
        return self._view


class ThreeDView:
    """`qMRMLThreeDView`."""

    def __init__(self, widget: ViewWidget) -> None:
        self._widget = widget

    def interactor(self) -> Any:
        return self._widget.view.interactor()

    def renderWindow(self) -> Any:
        return self._widget.view.render_window()

    def mrmlViewNode(self) -> Any:
        return self._widget.view.get_view_node()

    def cameraNode(self) -> Any:
        return self._widget.view.get_camera_node()

    def resetFocalPoint(self) -> None:
        self._widget.view.reset_focal_point()

    def resetCamera(self, *_: Any) -> None:
        self._widget.view.reset_camera()

    def scheduleRender(self) -> None:
        self._widget.schedule()

    def forceRender(self) -> None:
        self._widget.draw()


class ThreeDWidget:
    """`qMRMLThreeDWidget`."""

    def __init__(self, widget: ViewWidget) -> None:
        self._view = ThreeDView(widget)

    def threeDView(self) -> ThreeDView:
        return self._view

    def mrmlViewNode(self) -> Any:
        return self._view.mrmlViewNode()


class LayoutLogic:
    """`vtkMRMLLayoutLogic`, of which modules use the node only."""

    def __init__(self, node: Any) -> None:
        self._node = node

    def GetLayoutNode(self) -> Any:
        return self._node


class LayoutManager:
    """`qSlicerLayoutManager`."""

    def __init__(self, views: FourUp, scene: Any) -> None:
        self._slices = {name: SliceWidget(views.widgets[name]) for name in ("Red", "Green", "Yellow")}
        self._space = ThreeDWidget(views.widgets["3D"])
        node = slicer.vtkMRMLLayoutNode()
        node.SetSingletonTag("vtkMRMLLayoutNode")
        self._node = scene.AddNode(node)
        self._chosen = 0
        self.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        # A closed scene resets its singleton nodes; the window keeps its layout.
        scene.AddObserver(scene.EndCloseEvent, lambda *_: self.setLayout(self._chosen))
        self._logics = vtk.vtkCollection()
        for one in self._slices.values():
            self._logics.AddItem(one.sliceLogic())

    @property
    def layout(self) -> int:
        return int(self._node.GetViewArrangement())

    @property
    def threeDViewCount(self) -> int:
        return 1

    def setLayout(self, identifier: int) -> None:
        self._chosen = identifier
        if not self._node.IsLayoutDescription(identifier):
            self._node.AddLayoutDescription(identifier, '<layout type="horizontal"/>')
        self._node.SetViewArrangement(identifier)

    def layoutLogic(self) -> LayoutLogic:
        return LayoutLogic(self._node)

    def sliceViewNames(self) -> tuple[str, ...]:
        return tuple(self._slices)

    def sliceWidget(self, name: str) -> SliceWidget | None:
        return self._slices.get(name)

    def threeDWidget(self, index: int) -> ThreeDWidget | None:
        return self._space if index == 0 else None

    def mrmlSliceLogics(self) -> Any:
        return self._logics

    def resetSliceViews(self, *_: Any) -> None:
        for one in self._slices.values():
            one.sliceLogic().FitSliceToAll()

    def resetThreeDViews(self) -> None:
        self._space.threeDView().resetFocalPoint()
        self._space.threeDView().resetCamera()
