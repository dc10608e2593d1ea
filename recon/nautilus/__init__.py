"""Acts on a NautilusTrader node: attaches to it, guards its gate, turns steps into events."""
