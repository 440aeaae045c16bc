"""Signing in with an account at an OpenID Connect provider, such as the one of a university."""
