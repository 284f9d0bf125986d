"""Training images that the project draws itself; only training and evaluation use them."""
