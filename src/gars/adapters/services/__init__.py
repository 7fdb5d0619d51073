"""The two stages in processes of their own, over HTTP."""
