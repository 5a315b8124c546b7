"""The daemon's HTTP interface: rules of HTTP, the API, pages and routes."""
