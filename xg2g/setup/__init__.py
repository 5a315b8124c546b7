"""The first run: find the receiver, ask a few questions, write the settings file."""
