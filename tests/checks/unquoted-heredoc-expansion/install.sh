#!/bin/sh
# A variable of the machine that runs this, and one that was meant for the container.
kubectl apply -f - <<EOF
apiVersion: v1
kind: ConfigMap
metadata: {name: proxy, namespace: trade}
data:
  nginx.conf: |
    location / {
      proxy_set_header Host $host; # expect: unquoted-heredoc-expansion "ConfigMap `proxy` is changed by the shell"
      rewrite ^ $uri;
    }
EOF

# A command, in both spellings; tabs in front of the delimiter change nothing.
cat <<-END | kubectl -n trade apply -f -
	apiVersion: v1
	kind: ConfigMap
	metadata: {name: stamp}
	data:
	  day: "$(date)" # expect: unquoted-heredoc-expansion "`$(date)` is expanded before `kubectl` sees it"
END
kubectl apply -f - <<EOF
apiVersion: v1
kind: ConfigMap
metadata: {name: ticks, namespace: trade}
data:
  host: "`hostname`" # expect: unquoted-heredoc-expansion "because this delimiter is not quoted"
EOF

# One finding per object, and the second object of the text is untouched.
kubectl apply -f - <<MANIFESTS
apiVersion: v1
kind: ConfigMap
metadata: {name: several, namespace: trade}
data:
  first: ${FIRST} # expect: unquoted-heredoc-expansion "and 1 more"
  second: ${SECOND:-none}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: untouched, namespace: trade}
data: {price: "5 dollars"}
MANIFESTS

# The repaired twins: the delimiter is quoted, in every way, or the sign is escaped.
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: ConfigMap
metadata: {name: single, namespace: trade}
data: {line: "$host `date` $(date)"}
EOF
kubectl apply -f - <<"EOF"
apiVersion: v1
kind: ConfigMap
metadata: {name: double, namespace: trade}
data: {line: "$host"}
EOF
kubectl apply -f - <<\EOF
apiVersion: v1
kind: ConfigMap
metadata: {name: backslash, namespace: trade}
data: {line: "$host"}
EOF
kubectl apply -f - <<EOF
apiVersion: v1
kind: ConfigMap
metadata: {name: escaped, namespace: trade}
data:
  line: \$host costs 5\$ or \`nothing\`
  sign: "100 $ and $ 5"
EOF

# No manifest: the text of a message.
cat <<EOF
Hello $USER
EOF
