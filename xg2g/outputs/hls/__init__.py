"""HTTP Live Streaming: one output for each channel, with its playlists and files."""
