"""The report as a document: sentences, their places and evidence, edits, signature and trail."""
