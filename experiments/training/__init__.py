"""Train one network, from its configuration to an exported bundle."""
