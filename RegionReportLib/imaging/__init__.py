"""Volumes, grids, masks and boxes in RAS millimetres, and the image files that hold them."""
