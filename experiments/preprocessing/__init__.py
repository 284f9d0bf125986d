"""Any picture becomes one image as a data set has them; training, evaluation and serving share it."""
