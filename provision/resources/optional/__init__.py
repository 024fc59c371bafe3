"""What a resource may offer beyond the four members that it must have. Each file is one such offer; see the docs."""
