"""For every test."""

import signal

# A suite that is started in the background inherits an ignored Ctrl-C, and so would all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
