"""What `publish` needs: a result and its fingerprint, its description, where it came from, and the MLflow store."""
