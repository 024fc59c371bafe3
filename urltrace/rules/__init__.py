"""What can be wrong at each hop: small functions from the evidence to findings, in the order of the path."""
