"""Synthetic images; only training and evaluation use them."""
