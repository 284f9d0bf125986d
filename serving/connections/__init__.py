"""Connections: how many there are, what each may hold and for how long, and how they end when the server stops."""
