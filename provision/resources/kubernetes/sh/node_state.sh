# Defines what looks at a node's Node: `state` prints missing, unlabelled or labelled; nothing where the API says nothing.
# $1: the label as JSON has it; the function `api` asks for the Node
label=$1
state() {
  said=$(api -s -m 3 -w '\n%{http_code}' 2>/dev/null) || return 0
  case ${said##*
} in
  404) echo missing ;;
  200) case $said in *"$label"*) echo labelled ;; *) echo unlabelled ;; esac ;;
  esac
}
