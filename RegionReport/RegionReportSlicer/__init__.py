"""The parts of the RegionReport module of 3D Slicer: thin, everything else is in RegionReportLib."""
