"""`python -m RegionReportLib.worker`: the worker, where the library is installed."""

import sys

from .serve import main

sys.exit(main())
