"""The browser door: the review of a draft as a page on this computer, with Slicer's own scene and views behind it."""
