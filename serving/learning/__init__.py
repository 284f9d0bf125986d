"""The loop behind the answers."""
