"""The spider: catalogue pages and public lists of an anime site, asked for politely and only with permission."""
