"""Read metadata of anime from other sources and join them to the catalogue by id."""
