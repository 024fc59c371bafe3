# Prints the names of nodes that have a pod of an older template which nobody but us moves. outdated.sh comes before.
set -u
moved_by_hand || exit 0
find_template
outdated_pods -o 'jsonpath={range .items[*]}{.spec.nodeName}{"\n"}{end}'
