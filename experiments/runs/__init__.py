"""The three runs of each data set, and what runs, measures and registers them."""
