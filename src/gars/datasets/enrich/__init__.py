"""What other sources know of an anime, joined to the catalogue by id."""
