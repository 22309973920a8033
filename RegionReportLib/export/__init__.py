"""Reports and masks for others to read: text, HTML, pictures."""
