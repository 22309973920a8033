"""Slice and 3D views that draw into memory without a window, on software OpenGL if need be; needs trame-slicer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import vtk
from trame_slicer.core import SlicerApp
from trame_slicer.views import DirectViewFactory, ViewLayoutDefinition
from trame_slicer.views.render_scheduler import NoScheduleRendering
from vtk.util.numpy_support import vtk_to_numpy

Picture = npt.NDArray[np.uint8]


class Views:
    """A scene with an axial, a coronal, a sagittal and a 3D view."""

    def __init__(self, size: tuple[int, int] = (300, 300)) -> None:
        self.app = SlicerApp()
        self.scene = self.app.scene
        manager = self.app.view_manager
        manager.register_factory(DirectViewFactory(True))
        self.slices: dict[str, Any] = {}
        for name, layout in (
            ("axial", ViewLayoutDefinition.axial_view()),
            ("coronal", ViewLayoutDefinition.coronal_view()),
            ("sagittal", ViewLayoutDefinition.sagittal_view()),
        ):
            self.slices[name] = self._quiet(manager.create_view(layout))
            # Else the CT is drawn behind a segmentation that entered the scene first.
            self.slices[name]._render_manager._AddSliceActorToRendererIfNeeded()
        self.space = self._quiet(manager.create_view(ViewLayoutDefinition.threed_view()))
        self.space.renderer().SetUseDepthPeeling(False)
        self.space.renderer().SetUseDepthPeelingForVolumes(False)
        for view in self.all:
            view.render_window().SetMultiSamples(0)  # with them software OpenGL loses translucent surfaces
            self._resize(view, size)

    @property
    def all(self) -> list[Any]:
        """The three slice views and the 3D view."""
        return [*self.slices.values(), self.space]

    def show(self, volume_node: Any) -> None:
        """Show a volume in the slice views and fit all views to it."""
        self.app.display_manager.show_volume_in_slice_background(volume_node)
        for view in self.all:
            view.reset_view()

    def picture(self, view: Any) -> Picture:
        """Draw a view and return its pixels, rows from the top, RGB."""
        view.render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(view.render_window())
        grab.ReadFrontBufferOff()
        grab.ShouldRerenderOff()
        grab.Update()
        image = grab.GetOutput()
        width, height, _ = image.GetDimensions()
        pixels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)
        return np.ascontiguousarray(pixels[::-1, :, :3])

    def pixel_of(self, view: Any, world_mm: npt.ArrayLike) -> tuple[int, int]:
        """Return the row and column at which a slice view shows a point of the scene."""
        to_world = vtk.vtkMatrix4x4()
        view.get_view_node().UpdateMatrices()
        to_world.DeepCopy(view.get_view_node().GetXYToRAS())
        to_world.Invert()
        x, y, _, _ = to_world.MultiplyPoint((*np.asarray(world_mm, dtype=float), 1.0))
        return view.render_window().GetSize()[1] - 1 - round(y), round(x)

    def save(self, path: Path) -> None:
        """Write all four views side by side as a PNG."""
        from PIL import Image

        axial, coronal, sagittal, space = (self.picture(view) for view in self.all)
        sheet = np.vstack([np.hstack([axial, space]), np.hstack([coronal, sagittal])])
        Image.fromarray(sheet).save(path)

    def resize(self, size: tuple[int, int]) -> None:
        """Give all views a size in pixels."""
        for view in self.all:
            self._resize(view, size)

    def clear(self) -> None:
        """Take all nodes but the views' own out of the scene."""
        for node in [self.scene.GetNthNode(n) for n in range(self.scene.GetNumberOfNodes())]:
            own = (
                node is None or node.GetSingletonTag() or node.IsA("vtkMRMLCameraNode") or node.IsA("vtkMRMLColorNode")
            )
            if not own and (node.IsA("vtkMRMLDisplayableNode") or node.IsA("vtkMRMLTextNode")):
                self.scene.RemoveNode(node)

    def close(self) -> None:
        """Give the windows back."""
        for view in self.all:
            view.finalize()

    def _quiet(self, view: Any) -> Any:
        view.set_scheduled_render(NoScheduleRendering())  # drawing at each change would take most of the time
        return view

    def _resize(self, view: Any, size: tuple[int, int]) -> None:
        view.interactor().UpdateSize(*size)
        view.render_window().SetSize(*size)
        if hasattr(view, "_update_slice_size"):
            view._update_slice_size()
