"""The programme guide: read from the receiver, stored, and what its texts tell."""
