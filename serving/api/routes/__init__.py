"""One thin file a resource."""
