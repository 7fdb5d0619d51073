"""The spiders: one kind of page each."""
