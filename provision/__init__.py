"""The engine: asks every host once what it is, compares, applies only the difference, proves it."""
