"""What viewers get beside the transport stream itself."""
