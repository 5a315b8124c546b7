"""Documents for players and media servers: the M3U playlist and the XMLTV guide."""
