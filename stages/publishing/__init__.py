"""What `publish` needs: a result and its fingerprint, where it came from, and the MLflow store."""
