"""From words to places: which region, side and zone a sentence speaks of, and where it contradicts the scan."""
