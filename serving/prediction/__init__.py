"""From encoded pictures to predictions."""
