"""How good a model is, how two compare, and the gate; trains nothing, registers nothing."""
