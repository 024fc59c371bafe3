# What the lab does at its beginning, in miniature.
# $1: an empty folder
cd "$1" || exit 1
mkdir -p lower upper work root
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work root
