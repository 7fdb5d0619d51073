"""The catalogue as the service looks it up, and facts about its data."""
