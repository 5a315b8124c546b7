"""Outputs: the forms in which viewers get a stream, and what they have in common."""
