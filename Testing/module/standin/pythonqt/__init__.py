"""PySide6 made to behave like PythonQt, as far as 3D Slicer's scripted modules can tell; strict where it is silent.

Importing this package changes PySide6's classes for the whole process, so nothing else in it may rely on PySide6's
own manners.
"""
