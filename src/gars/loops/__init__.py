"""Inner loops over arrays, each in a compiled and a plain form. They know nothing of anime."""
