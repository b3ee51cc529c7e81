# shellcheck shell=bash disable=SC2154
# ./dev up: Weir on this machine, on a copy of examples/hello that one may edit. Works without root once the packages are there.

up_http=${WEIR_HTTP_PORT:-8080}
up_https=${WEIR_HTTPS_PORT:-8443}
up_admin=${WEIR_ADMIN_PORT:-10254}
up_backend=${WEIR_BACKEND_PORT:-9001}
up_dashboard=${WEIR_DASHBOARD_PORT:-10253}
up_fresh=
up_folder=build/up
up_pids=()
up_weir=

up_flags() {
  while [[ $# -gt 0 ]]; do
    case $1 in
      --http-port | --https-port | --admin-port | --backend-port | --dashboard-port)
        local name=${1#--}
        if [[ ! ${2:-} =~ ^[1-9][0-9]{0,4}$ ]] || (($2 > 65520)); then
          fail "$1 takes a port, 1 to 65520, not '${2:-}'"
        fi
        printf -v "up_${name%-port}" '%s' "$2"
        shift 2
        ;;
      --fresh) up_fresh=yes && shift ;;
      *) fail "up takes --http-port N, --https-port N, --admin-port N, --backend-port N, --dashboard-port N and --fresh, not '$1'" ;;
    esac
  done
}

# port_in_use N: somebody listens on that TCP port, on any address.
port_in_use() {
  local hex
  hex=$(printf '%04X' "$1")
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$hex" '
    $4 == "0A" { n = split($2, part, ":"); if (part[n] == port) found = 1 }
    END { exit !found }'
}

backend_ports() { echo $((up_backend)) $((up_backend + 1)) $((up_backend + 2)) $((up_backend + 10)) $((up_backend + 11)) $((up_backend + 12)); }

require_free_ports() {
  local port
  local -A flag=([$up_http]=--http-port [$up_https]=--https-port [$up_admin]=--admin-port [$((up_admin + 1))]=--admin-port [$up_dashboard]=--dashboard-port)
  for port in $(backend_ports); do flag[$port]=--backend-port; done
  ((${#flag[@]} == 11)) || fail "the ports overlap: $up_http $up_https $up_admin $((up_admin + 1)) $up_dashboard $(backend_ports)"
  for port in "${!flag[@]}"; do
    if port_in_use "$port"; then
      fail "port $port is in use by another program: end that one, or choose another with ${flag[$port]} N"
    fi
  done
}

# Self-signed, for both hosts: the Secret of the example, and the file that curl trusts.
write_secret() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 90 -subj /CN=hello.example.test \
    -addext subjectAltName=DNS:hello.example.test,DNS:shop.example.test \
    -keyout "$up_folder/hello.key" -out "$up_folder/hello.crt" 2>/dev/null
  cat >"$up_folder/manifests/secret.yaml" <<YAML
apiVersion: v1
kind: Secret
metadata:
  name: hello-tls
  namespace: default
type: kubernetes.io/tls
data:
  tls.crt: $(base64 -w0 "$up_folder/hello.crt")
  tls.key: $(base64 -w0 "$up_folder/hello.key")
YAML
}

# The copy is kept between runs, edits and all, while it fits the backends' ports.
write_manifests() {
  if [[ -z $up_fresh && $(cat "$up_folder/backend-port" 2>/dev/null) == "$up_backend" ]]; then
    say "manifests: $up_folder/manifests as you left them (--fresh makes a new copy)"
    return
  fi
  say "manifests: a new copy of examples/hello in $up_folder/manifests"
  rm -rf "$up_folder"
  mkdir -p "$up_folder/manifests"
  local file n
  for file in examples/hello/*.yaml; do
    local edit=()
    for n in 0 1 2 10 11 12; do edit+=(-e "s/port: $((9001 + n))\$/port: $((up_backend + n))/"); done
    sed "${edit[@]}" "$file" >"$up_folder/manifests/$(basename "$file")"
  done
  (umask 077 && write_secret)
  echo "$up_backend" >"$up_folder/backend-port"
}

start_backends() {
  local port n=0 names=(hello-1 hello-2 hello-3 shop-1 shop-2 shop-3)
  for port in $(backend_ports); do
    build/release/bin/weir-echo --address 127.0.0.1 --port "$port" --name "${names[n]}" >>"$up_folder/backends.log" 2>&1 &
    up_pids+=($!)
    n=$((n + 1))
  done
  say "sample backends on 127.0.0.1: $(backend_ports)"
}

# answers: Weir gives the example's page over HTTP. Needs no program.
answers() {
  local line
  exec 3<>"/dev/tcp/127.0.0.1/$up_http" || return 1
  printf 'GET / HTTP/1.1\r\nHost: hello.example.test\r\nConnection: close\r\n\r\n' >&3
  read -r -t 5 line <&3 || line=
  timeout 2 cat <&3 >/dev/null || true
  exec 3>&-
  [[ $line == *' 200 '* ]]
} 2>/dev/null

print_what_to_try() {
  cat <<TEXT

    curl -H 'Host: hello.example.test' http://127.0.0.1:$up_http/
    curl --resolve shop.example.test:$up_http:127.0.0.1 http://shop.example.test:$up_http/
    curl --resolve hello.example.test:$up_https:127.0.0.1 --cacert $top/$up_folder/hello.crt https://hello.example.test:$up_https/
    curl --resolve shop.example.test:$up_https:127.0.0.1 --cacert $top/$up_folder/hello.crt https://shop.example.test:$up_https/

    metrics: http://127.0.0.1:$up_admin/metrics
    edit:    $top/$up_folder/manifests   (live when you save)
    end:     Ctrl-C

TEXT
}

# stop_up: ends Weir, then the backends; only what this run started. Runs however the run ends.
stop_up() {
  local turn status=0
  trap '' INT TERM
  if [[ -n $up_weir ]] && kill -TERM "$up_weir" 2>/dev/null; then
    for turn in {1..100}; do
      kill -0 "$up_weir" 2>/dev/null || break
      sleep 0.1
      ((turn < 100)) || kill -KILL "$up_weir" 2>/dev/null || true
    done
    wait "$up_weir" || status=$?
    if ((status == 0)); then say "stopped"; else say "weirctl up ended with status $status"; fi
  fi
  [[ ${#up_pids[@]} == 0 ]] || kill -TERM "${up_pids[@]}" 2>/dev/null || true
}

start_weir() {
  build/release/bin/weirctl up -f "$up_folder/manifests" --http-port "$up_http" --https-port "$up_https" \
    --admin-port "$up_admin" --dashboard-port "$up_dashboard" &
  up_weir=$!
}

# Until it answers, at most 20 s; says what to try.
await_weir() {
  local turn
  for turn in {1..200}; do
    kill -0 "$up_weir" 2>/dev/null || return 0
    if answers; then
      print_what_to_try
      return
    fi
    sleep 0.1
  done
  say "Weir runs but has not answered for hello.example.test in ${turn}/10 s: see its log above"
}

verb_up() {
  local status=0
  up_flags "$@"
  need build up
  require_free_ports
  configure_preset release
  build_known release "${programs[@]}"
  require_programs "${programs[@]}"
  write_manifests
  trap stop_up EXIT
  trap 'exit 0' INT TERM
  start_backends
  start_weir
  await_weir
  wait "$up_weir" || status=$?
  up_weir=
  fail "weirctl up ended by itself with status $status"
}
