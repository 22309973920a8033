"""Neural networks that write region reports; the only room, with `train`, that loads torch.

This file and `folders`, `catalogue` and `fetching` load none, so that doors may ask them.
"""
