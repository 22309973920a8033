"""RegionReport: grounded chest CT reporting, where every sentence of the report knows its place in the scan."""

__version__ = "0.1.0"
