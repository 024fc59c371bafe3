# digest DIRECTORY: of the files of a set. Who is drained is no part of it, nor is the file that says the digest.
digest() {
  find "$1/" -type f ! -name "$RELEASE" -printf '%P\n' | LC_ALL=C sort | while read -r name; do
    printf '%s\n' "$name"
    sed 's/^\( *server [^ ]* [^ ]*\) disabled/\1/' "$1/$name"
  done | sha256sum | cut -c 1-32
}
