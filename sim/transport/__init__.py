"""How a client reaches the venue: one network, and a door for each library."""
