"""What every request passes; imports nothing else of serving."""
