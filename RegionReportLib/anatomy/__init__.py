"""Names, codes and relations of anatomy: the six regions of a chest CT and the structures that belong to them."""
