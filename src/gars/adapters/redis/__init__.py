"""Redis: what many api processes read and the feature job writes. Needs the extra ``redis``."""
