"""The Retrain tab and its sections."""
