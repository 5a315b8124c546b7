"""Live streams: from the grant of a tuner to the last byte at the viewer."""
