"""Training of the region-token network: recipes, cases, losses and the loop that runs them."""
