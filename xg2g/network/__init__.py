"""Hosts, addresses, connections and bodies, for all rooms that use the network."""
