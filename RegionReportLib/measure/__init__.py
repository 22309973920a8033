"""From a volume and its masks to measurements: numbers with unit, method and place."""
