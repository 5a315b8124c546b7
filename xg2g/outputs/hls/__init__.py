"""HTTP Live Streaming: a presentation made of the packager's events; its files and playlists."""
