"""The first run: find the receiver, ask what there is to ask, write the file."""
