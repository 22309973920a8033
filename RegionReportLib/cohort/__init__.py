"""Many studies at once: each drafted by the main flow exactly once, on this machine's cores or on a Ray cluster."""
