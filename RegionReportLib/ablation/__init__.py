"""What each part of the network is worth, on phantoms that it never saw, beside writers that see less."""
