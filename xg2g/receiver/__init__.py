"""How an Enigma2 receiver is asked: its web interface, and its streams."""
