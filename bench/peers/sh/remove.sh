# $1: a folder, which keeps none of its files
find "$1" -mindepth 1 -delete
