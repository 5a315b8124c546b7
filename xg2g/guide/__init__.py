"""The programme guide: kept from the receiver's events, given out as XMLTV."""
