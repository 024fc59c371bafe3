# Functions that tell pods of the current template from those of an older one. As a DaemonSet's controller does
# (pkg/controller/daemon in Kubernetes 1.34), a pod is taken for a current one by its label pod-template-generation or
# controller-revision-hash: after a change that was taken back, untouched pods have an older generation, same hash.
# $KIND, $NAME: of the DaemonSet, Deployment or StatefulSet; the function `k` is kubectl in its namespace
find_template() {  # has to be called before the others
  n=50
  until [ "$(k get "$KIND" "$NAME" -o 'jsonpath={.metadata.generation}')" = \
      "$(k get "$KIND" "$NAME" -o 'jsonpath={.status.observedGeneration}')" ] || [ $n -eq 0 ]; do
    n=$((n-1)); sleep 0.2
  done
  field=".metadata.annotations['deprecated\\.daemonset\\.template\\.generation']"
  present=$(k get "$KIND" "$NAME" -o "jsonpath={$field}")
  labels=$(k get "$KIND" "$NAME" -o 'jsonpath={.spec.selector.matchLabels}' | tr -d '{}"' | tr ':' '=')
  hash=$(k get controllerrevisions -l "$labels" --sort-by=.revision \
    -o "jsonpath={.items[-1:].metadata.labels.controller-revision-hash}")
}
outdated_pods() {  # outdated_pods OPTION...: of kubectl get
  k get pods -l "$labels,pod-template-generation!=$present,controller-revision-hash!=$hash" "$@"
}
present_pods() { k get pods -l "$labels,controller-revision-hash=$hash" "$@"; }
every_pod() { k get pods -l "$labels" "$@"; }
# whether pods of an older template stay until somebody deletes them
moved_by_hand() { [ "$(k get "$KIND" "$NAME" -o 'jsonpath={.spec.updateStrategy.type}')" = OnDelete ]; }
