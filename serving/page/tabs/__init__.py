"""One tab a file; a tab never imports another."""
