"""Neural networks that write region reports; the only room, with `train`, that loads torch."""
