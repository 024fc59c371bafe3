"""The same work done by this toolkit and by its peers, in one run on one machine."""
