"""What nginx does with a request: the server and the location that it chooses, and the upstream behind them."""
