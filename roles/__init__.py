"""One role a file: a typed Settings and a generator of resources. Files that begin with `_` are shared parts."""
