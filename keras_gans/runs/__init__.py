"""What a training run leaves on disk, and everything later reads."""
