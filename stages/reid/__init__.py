"""Re-identification: which detections get an embedding, and the networks that compute it."""
