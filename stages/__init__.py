"""Retrace: recorded video to people with lasting identities. Verbs are stages, nouns are vocabulary."""
