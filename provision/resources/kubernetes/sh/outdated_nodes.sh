# Prints the names of nodes that have a pod of an older template that only this toolkit replaces. Requires outdated.sh.
set -u
moved_by_hand || exit 0
find_template
outdated_pods -o 'jsonpath={range .items[*]}{.spec.nodeName}{"\n"}{end}'
