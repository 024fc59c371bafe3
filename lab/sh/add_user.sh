# On the disk itself: the installer's own way to a first user. A password may come on standard input, as chpasswd has it.
# $1: the user; $2: the rule for sudo
set -e
useradd --create-home --shell /bin/bash "$1"
install -d -m 700 -o "$1" -g "$1" "/home/$1/.ssh"
install -m 600 -o "$1" -g "$1" /root/.ssh/authorized_keys "/home/$1/.ssh/authorized_keys"
rm /root/.ssh/authorized_keys
printf '%s\n' "$2" >/etc/sudoers.d/lab
chmod 440 /etc/sudoers.d/lab
if read -r login; then printf '%s\n' "$login" | chpasswd; fi
