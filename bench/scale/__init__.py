"""Many small hosts on one machine, and what a run over them costs."""
