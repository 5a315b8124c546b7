"""What a damaged stream sounds like: here, and decoded by ffmpeg as it is."""
