"""Evaluate models, compare two of them, and gate promotion; nothing is trained or registered here."""
