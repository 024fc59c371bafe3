# Prints how many workers of older configurations still serve connections that are open.
pgrep -fc '^nginx: worker process is shutting down' || :
