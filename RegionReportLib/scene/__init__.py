"""The scene of 3D Slicer: volumes, segmentations, pointing and reports as MRML nodes.

The only room that imports slicer or vtk. Takes scene and nodes as arguments, so that the same code runs inside
3D Slicer and on its libraries alone; no user interface here.
"""
