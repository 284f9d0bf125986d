"""What every request to page or API passes, from the outermost layer inwards."""
