{{/* Labels that select the pods of one part, and only those: a dict of `part` and `root`. They never change, because a selector cannot. */}}
{{- define "gameanalytics-platform.selector" -}}
app.kubernetes.io/name: {{ .part }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
{{- end -}}

{{- define "gameanalytics-platform.labels" -}}
{{ include "gameanalytics-platform.selector" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* What the objects of a part are called. */}}
{{- define "gameanalytics-platform.name" -}}
{{- printf "%s-%s" .root.Release.Name .part | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "gameanalytics-platform.bootstrapServers" -}}
{{- if .Values.kpow.bootstrapServers -}}
{{- .Values.kpow.bootstrapServers -}}
{{- else if .Values.kafka.enabled -}}
{{- printf "%s-kafka-bootstrap:%s" .Values.kafka.name (empty .Values.kafka.authentication | ternary "9092" "9093") -}}
{{- else -}}
{{- fail "kpow.bootstrapServers: with kafka.enabled=false there is no Kafka here to look at. Set it to host:port of one." -}}
{{- end -}}
{{- end -}}

{{/*
A monitor of Factor House: its account, its Service, its NetworkPolicy, its Deployment. A dict of `root`, `part` (kpow or flex), `title`, `port` of the
Service, and `env`, its variables in addition to those of the values. Where it signs in to Kafka also `secretEnv`, variables by the
keys of its KafkaUser's Secret, and `mounts`, folders by the Secrets that are mounted there.
*/}}
{{- define "gameanalytics-platform.monitor" -}}
{{- $values := index .root.Values .part -}}
{{- $license := $values.licenseSecret -}}
{{- if not $license -}}
{{- fail (printf "%s.licenseSecret: %s needs a license of Factor House, and its community edition's is free of charge. Put yours into a Secret (kubectl --namespace %s create secret generic %s-license --from-env-file=license.env), and set %s.licenseSecret=%s-license." .part .title .root.Release.Namespace .part .part .part) -}}
{{- end -}}
{{- $name := include "gameanalytics-platform.name" . -}}
{{- $repository := $values.image.repository | default (printf "factorhouse/%s%s" .part (eq $values.edition "community" | ternary "-ce" "")) -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "gameanalytics-platform.labels" . | nindent 4 }}
# It never speaks to the API server.
automountServiceAccountToken: false
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "gameanalytics-platform.labels" . | nindent 4 }}
spec:
  selector:
    {{- include "gameanalytics-platform.selector" . | nindent 4 }}
  ports:
    - name: http
      port: {{ .port }}
      targetPort: http
---
# Its pages ask nobody to sign in: none gets there but by kubectl port-forward. Another NetworkPolicy can let
# in more.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "gameanalytics-platform.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "gameanalytics-platform.selector" . | nindent 6 }}
  policyTypes: [Ingress]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "gameanalytics-platform.labels" . | nindent 4 }}
  annotations:
    ignore-check.kube-linter.io/no-read-only-root-fs: It unpacks native libraries and keeps files in folders that Factor House does not name.
    ignore-check.kube-linter.io/no-rolling-update-strategy: The old one ends before the new one starts, so that no two keep their notes in the same topics.
    {{- if .secretEnv }}
    ignore-check.kube-linter.io/env-value-from: Strimzi makes the Secret.
    ignore-check.kube-linter.io/read-secret-from-env-var: It reads settings from variables alone.
    {{- end }}
spec:
  replicas: 1
  revisionHistoryLimit: 2
  strategy:
    type: Recreate
  selector:
    matchLabels:
      {{- include "gameanalytics-platform.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "gameanalytics-platform.selector" . | nindent 8 }}
    spec:
      serviceAccountName: {{ $name }}
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        # As whom Factor House's own charts run it.
        runAsUser: 1001
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: {{ .part }}
          image: {{ $values.image.digest | empty | ternary (printf "%s:%s" $repository $values.image.tag) (printf "%s@%s" $repository $values.image.digest) | quote }}
          envFrom:
            - secretRef:
                name: {{ $license | quote }}
          env:
            {{- range $variable, $value := merge (deepCopy $values.env) .env }}
            - name: {{ $variable }}
              value: {{ $value | quote }}
            {{- end }}
            {{- range $variable, $key := .secretEnv }}
            - name: {{ $variable }}
              valueFrom:
                secretKeyRef:
                  name: {{ $name }}
                  key: {{ $key }}
            {{- end }}
          {{- with .mounts }}
          volumeMounts:
            {{- range $secret, $folder := . }}
            - name: {{ base $folder }}
              mountPath: {{ $folder }}
              readOnly: true
            {{- end }}
          {{- end }}
          ports:
            - name: http
              containerPort: 3000
          # It takes a minute or two to read what there is.
          startupProbe:
            httpGet:
              path: /up
              port: http
            periodSeconds: 5
            failureThreshold: 60
          readinessProbe:
            httpGet:
              path: /up
              port: http
            periodSeconds: 10
          livenessProbe:
            httpGet:
              path: /healthy
              port: http
            periodSeconds: 30
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            capabilities:
              drop: [ALL]
      {{- with .mounts }}
      volumes:
        {{- range $secret, $folder := . }}
        - name: {{ base $folder }}
          secret:
            secretName: {{ $secret }}
        {{- end }}
      {{- end }}
{{- end -}}
