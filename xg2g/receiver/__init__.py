"""Clients of an Enigma2 receiver: of its web interface and of its stream servers."""
