"""Read a request in words: "a slow romance in the countryside, under 13 episodes"."""
