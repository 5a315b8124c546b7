"""Streams of channels: tuner, receiver and conversion, shared by all viewers."""
