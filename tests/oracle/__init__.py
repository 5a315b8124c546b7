"""Independent judges of a transport stream. They share no code with the product."""
