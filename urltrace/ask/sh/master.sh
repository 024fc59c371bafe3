# What a master is asked, for trace.sh, whose variables and functions these are
# shellcheck disable=SC2154 # d: its folder
managers() {
  for port in 10257 10259; do
    echo "$port $(curl -q -ks -m 2 -o /dev/null -w '%{http_code}' --noproxy '*' "https://127.0.0.1:$port/healthz")"
  done
}

# kubectl finds the API and its own credentials; what is asked goes by curl, so that one start of it is enough
master() {
  mkfifo api.up
  # shellcheck disable=SC2086 # a word each
  timeout "$LONGEST" $KUBECTL proxy --unix-socket="$d/api" >api.up 2>api.said &
  proxy=$!
  ask "managers" managers
}

# $1, ...: paths of the API
api() {
  for path in "$@"; do echo "url=http://localhost$path"; done |
    curl -q -K - -sS --fail-with-body --fail-early -m "$LIMIT" --unix-socket api
}

# From the cache of the API server: as fresh as what Traefik hears, and there without a quorum of etcd
objects() {
  for kind in api/v1/pods api/v1/services api/v1/nodes apis/discovery.k8s.io/v1/endpointslices \
    apis/networking.k8s.io/v1/ingresses apis/networking.k8s.io/v1/ingressclasses \
    apis/rbac.authorization.k8s.io/v1/clusterroles apis/rbac.authorization.k8s.io/v1/clusterrolebindings; do
    set -- "$@" "/$kind?resourceVersion=0"
  done
  api "$@"
}

# Whether the Secrets with the certificates of Ingresses are there: the API's answer to each is not kept, its code is.
# $1: the objects as the API has sent them
tls_secrets() {
  tr -d ' \n' <"$1" | tr ',{}[]' '[\n*]' | awk -F '"' '
    /^"kind":"[A-Za-z]*List"/ { here = $4 == "IngressList" }
    here && /^"namespace":/ { namespace = $4 }
    here && /^"secretName":/ { print namespace "/" $4 }' | sort -u | head -n 20 |
    while IFS=/ read -r namespace name; do
      path="/api/v1/namespaces/$namespace/secrets/$name"
      code=$(curl -q -sS -m "$LIMIT" -o /dev/null -w '%{http_code}' --unix-socket api "http://localhost$path")
      echo "$namespace/$name $code"
    done
}

# Once kubectl serves, or has ended
listed() {
  read -r _ <api.up
  ask "readyz" api '/readyz?verbose'
  readyz=$!
  ask "objects" objects
  wait $!
  ask "tls secrets" tls_secrets "$count.out"
  wait "$readyz" $!
  kill "$proxy" 2>/dev/null
}
