"""The main flow: from a scan to a draft report whose every sentence is tied to its place."""
