"""What each data set is, where its published images come from, and its three splits."""
