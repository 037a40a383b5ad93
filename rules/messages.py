"""What a notification says, as templates of Alertmanager: short, with the number, the reason and a link."""

from __future__ import annotations

from pathlib import PurePosixPath

from domain.artifact import Artifact

FILE = "trimtab.tmpl"
MOST = 10  # alerts that one message tells one by one

# A group is about one workload and category, or a digest of many; what all its alerts share is said once.
_TEMPLATES = """\
{{/* Written by `trimtab render alertmanager`: change the settings, not this file. */}}
{{ define "trimtab.title" -}}
[{{ if eq .Status "firing" }}{{ or .CommonLabels.severity "alert" }}{{ else }}over{{ end }}] \
{{ with .CommonLabels.workload }}{{ . }}: {{ end -}}
{{ with .CommonAnnotations.summary }}{{ . }}{{ else }}{{ len .Alerts }} alerts on {{ or $.CommonLabels.category "several things" }}.{{ end -}}
{{ end }}

{{ define "trimtab.link" -}}
{{ with index .Alerts 0 }}{{ .GeneratorURL }}{{ end -}}
{{ end }}

{{ define "trimtab.color" -}}
{{ if ne .Status "firing" }}#2f7d5b{{ else if eq .CommonLabels.severity "critical" }}#b3261e{{ else if eq .CommonLabels.severity "info" }}#3b6ea5{{ else }}#b7791f{{ end -}}
{{ end }}

{{ define "trimtab.text" -}}
{{ range $n, $alert := .Alerts.Firing }}{{ if lt $n MOST }}{{ .Annotations.description }}
{{ with .Annotations.runbook_url }}Runbook: {{ . }}
{{ end }}{{ with .GeneratorURL }}Source: {{ . }}
{{ end }}{{ end }}{{ end -}}
{{ if gt (len .Alerts.Firing) MOST }}and more: {{ len .Alerts.Firing }} in all.
{{ end -}}
{{ range $n, $alert := .Alerts.Resolved }}{{ if lt $n MOST }}Over: {{ .Annotations.summary }} {{ .Annotations.description }}
{{ end }}{{ end -}}
{{ if gt (len .Alerts.Resolved) MOST }}and more: {{ len .Alerts.Resolved }} are over in all.
{{ end -}}
{{ end }}

{{ define "trimtab.html" -}}
<!doctype html>
<html><body style="font: 15px/1.45 system-ui, sans-serif; color: #1d2a33; max-width: 640px">
<h1 style="font-size: 18px; border-left: 5px solid {{ template "trimtab.color" . }}; padding-left: 10px">{{ template "trimtab.title" . }}</h1>
{{ range $n, $alert := .Alerts.Firing }}{{ if lt $n MOST }}<p>{{ .Annotations.description }}<br>
{{ with .Annotations.runbook_url }}<a href="{{ . }}">Runbook</a> {{ end }}{{ with .GeneratorURL }}<a href="{{ . }}">Source</a>{{ end }}</p>
{{ end }}{{ end -}}
{{ if gt (len .Alerts.Firing) MOST }}<p>and more: {{ len .Alerts.Firing }} in all.</p>
{{ end -}}
{{ range $n, $alert := .Alerts.Resolved }}{{ if lt $n MOST }}<p style="color: #5b6b76">Over: {{ .Annotations.summary }} {{ .Annotations.description }}</p>
{{ end }}{{ end -}}
{{ if gt (len .Alerts.Resolved) MOST }}<p style="color: #5b6b76">and more: {{ len .Alerts.Resolved }} are over in all.</p>
{{ end -}}
</body></html>
{{ end }}
"""


def templates() -> Artifact:
    """`trimtab.tmpl`: the title, text, link and colour of every way of sending, and the HTML of an e-mail."""
    return Artifact(path=PurePosixPath(FILE), text=_TEMPLATES.replace("MOST", str(MOST)))
