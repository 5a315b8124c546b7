"""xg2g: streams Enigma2 television with sound that every client plays."""
