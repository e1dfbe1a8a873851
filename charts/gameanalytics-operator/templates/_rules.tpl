{{/*
What the operator may do where it looks after resources: the same in all namespaces and in one. It writes by server-side
apply, which asks for `patch`, and for `create` where there is nothing yet. It may make objects with owners where the admission
plugin OwnerReferencesPermissionEnforcement is on, without a right on finalizers: none blocks its owner's deletion. To put back
an owner that someone took off, that plugin asks for `delete` as well: where there is none below it is refused, and a condition
says so. That is rare, and not worth the right.
*/}}
{{- define "gameanalytics-operator.rules" -}}
- apiGroups: [gameanalytics.dev]
  resources: [gameanalytics]
  verbs: [get, list, watch]
- apiGroups: [gameanalytics.dev]
  resources: [gameanalytics/status]
  verbs: [patch]
- apiGroups: [kafka.strimzi.io]
  resources: [kafkas]
  verbs: [list, watch]
- apiGroups: [kafka.strimzi.io]
  resources: [kafkatopics, kafkausers]
  verbs: [get, list, watch, create, patch, delete]
# Conditions say why pods do not start. RBAC cannot select by label; the operator asks for its pipelines' pods
# alone.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
# Those of a pipeline that no edit takes away go with their owner, by garbage collection.
- apiGroups: [flink.apache.org]
  resources: [flinkdeployments]
  verbs: [get, list, watch, create, patch]
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, create, patch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [rolebindings]
  verbs: [get, list, watch, create, patch, delete]
# A binding gives nobody more than these roles: who binds must hold the rights of the role, or this one.
- apiGroups: [rbac.authorization.k8s.io]
  resources: [clusterroles]
  resourceNames: [gameanalytics-flink-job, gameanalytics-results, gameanalytics-schema]
  verbs: [bind]
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments, controllerrevisions]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [ingresses, networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end -}}
