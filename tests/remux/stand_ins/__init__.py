"""Streams made at test time that stand for captures of other people, which no clone has."""
