# Makes a bare host ready: its standard input is a tar of .deb files, which are installed.
# $1: the unit of supervisord; $2, $3, ...: programs that run under it from now on
set -e
unit=$1
shift
folder=$(mktemp -d)
tar -C "$folder" -x
DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes --no-install-recommends -o Dpkg::Options::=--force-unsafe-io install "$folder"/*.deb
rm -r "$folder"
for program; do
  printf '[program:%s]\ncommand=/bin/sleep infinity\nautorestart=true\n' "$program" >"/etc/supervisor/conf.d/$program.conf"
done
systemctl enable --now "$unit"
supervisorctl update
