"""The data sets: their constants, published images and three splits."""
