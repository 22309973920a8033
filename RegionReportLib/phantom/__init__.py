"""A patient that is known: procedural chest CT with true masks, findings and measurements."""
