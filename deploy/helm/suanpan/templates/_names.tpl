{{- define "suanpan.name" -}}
{{- if contains "suanpan" .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{ else }}{{ printf "%s-suanpan" .Release.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- /* What the objects of one release are found by. It never changes, since a Deployment's selector cannot. */}}
{{- define "suanpan.selector" -}}
app.kubernetes.io/name: suanpan
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "suanpan.labels" -}}
{{ include "suanpan.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "suanpan.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- /* Both containers of a node see the same settings. */}}
{{- define "suanpan.container" -}}
image: {{ include "suanpan.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  - name: SUANPAN_DATABASE__URL
    valueFrom:
      secretKeyRef:
        name: {{ .Values.secret.name }}
        key: {{ .Values.secret.databaseUrlKey }}
  - name: SUANPAN_SERVER__LISTEN
    value: 0.0.0.0:8080
  - name: SUANPAN_LOG__FORMAT
    value: json
volumeMounts:
  - name: config
    mountPath: /etc/suanpan/config
    readOnly: true
  - name: keys
    mountPath: /etc/suanpan/keys
    readOnly: true
  - name: tmp
    mountPath: /tmp
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}
