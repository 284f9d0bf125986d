"""From encoded pictures to answers."""
