"""`make bench`: what a stream costs, side by side with ffmpeg in the same run."""
