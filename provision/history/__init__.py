"""What runs have done: written down on hosts and on the controller, told, explained and undone."""
