"""The JSON API; knows nothing of the page."""
