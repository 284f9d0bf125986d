"""Offline: everything that makes a model, from the data to the exported bundle."""
