"""Scores: how well reports and their ties to places match a reference."""
