# Debian's default site, which answers on every port-80 request, without IPv6 (a kernel may have none); logs go where
# `kubectl logs` reads them. In the layer's root.
mkdir -p var/www/html run/nginx
sed '/\[::\]/d' etc/nginx/sites-available/default >etc/nginx/sites-enabled/default
cp usr/share/nginx/html/index.html var/www/html/index.html
ln -sf /dev/stdout var/log/nginx/access.log
ln -sf /dev/stderr var/log/nginx/error.log
