"""Where the camera's motion comes from: optical flow between the pictures, or a file."""
