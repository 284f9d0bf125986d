"""Learns accepted corrections: the same training, the same gate, from the Production model on."""
