"""The other process: drafts are made there, so that neither a crash nor the memory of a model reaches the viewer."""
