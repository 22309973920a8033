"""Finding nodes of a scene and removing one with all that belongs to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def nodes_of(scene: Any, class_name: str) -> list[Any]:
    """Return the nodes of a class in a scene, in the order in which they were added."""
    found = scene.GetNodesByClass(class_name)
    found.UnRegister(None)
    return [found.GetItemAsObject(n) for n in range(found.GetNumberOfItems())]


def remove(scene: Any, node: Any) -> None:
    """Remove a node with its display and storage nodes, which a scene would keep; one already gone is left alone."""
    if node is None or node.GetScene() is None:
        return
    parts = [node.GetNthStorageNode(n) for n in range(node.GetNumberOfStorageNodes())]
    if node.IsA("vtkMRMLDisplayableNode"):
        parts += [node.GetNthDisplayNode(n) for n in range(node.GetNumberOfDisplayNodes())]
    scene.RemoveNode(node)
    for part in parts:
        if part is not None and part.GetScene() is not None:
            scene.RemoveNode(part)


@contextmanager
def batch(scene: Any) -> Iterator[None]:
    """Let the views learn of many changes at once: outside a batch each new segment or surface redraws all."""
    scene.StartState(scene.BatchProcessState)
    try:
        yield
    finally:
        scene.EndState(scene.BatchProcessState)
