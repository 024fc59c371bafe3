"""A trace as one page for a browser: nothing is fetched from anywhere."""
