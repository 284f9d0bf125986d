"""Prepare any picture as an image of a data set, the same way in training, evaluation and serving."""
