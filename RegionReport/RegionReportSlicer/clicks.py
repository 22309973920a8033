"""Clicks into slice views: which place was meant. A drag is not a click, and no view's own behaviour is taken away."""

import slicer

_PRESS, _RELEASE = "LeftButtonPressEvent", "LeftButtonReleaseEvent"
# Pixels the mouse may move between press and release.
_STILL = 3


class SliceClicks:
    """Tells `clicked(world_mm)` for each click into a slice view while it is on."""

    def __init__(self, clicked):
        self._clicked = clicked
        self._observed = []
        self._pressed = None

    def enable(self, on):
        """Observe the slice views of the present layout, or stop."""
        for interactor, tag in self._observed:
            interactor.RemoveObserver(tag)
        self._observed = []
        layout = slicer.app.layoutManager()
        if not on or layout is None:
            return
        for name in layout.sliceViewNames():
            interactor = layout.sliceWidget(name).sliceView().interactor()
            for event, act in ((_PRESS, self._on_press), (_RELEASE, self._on_release)):
                self._observed.append((interactor, interactor.AddObserver(event, act)))

    def _on_press(self, interactor, event):
        self._pressed = interactor.GetEventPosition()

    def _on_release(self, interactor, event):
        pressed, self._pressed = self._pressed, None
        now = interactor.GetEventPosition()
        if pressed is None or _placing() or max(abs(a - b) for a, b in zip(pressed, now, strict=True)) > _STILL:
            return
        crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        world = [0.0, 0.0, 0.0]
        # False outside all views: the last position would be reported again.
        if crosshair is not None and crosshair.GetCursorPositionRAS(world):
            self._clicked(tuple(world))


def _placing():
    """Tell whether the mouse places something now, for example a point of a markup."""
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLInteractionNode")
    return node is not None and node.GetCurrentInteractionMode() != node.ViewTransform
