"""What explains a model to people."""
