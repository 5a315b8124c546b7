"""Checks everything between receiver and viewer, and says how to fix each problem."""
