"""Models to compare with: each simple, classic or heavy in a way the product is not. None of them serves."""
