"""Where data comes from: sources, readers, enrichment, validation, simulation."""
