#!/usr/bin/env bash
# tickets_test.sh DIR: a TLS session ticket of one replica resumes on another.
# shellcheck source=e2e/pods/stage.sh
source "$(dirname "$0")/stage.sh"

make_world
install_weir --set controller.replicaCount=2
mapfile -t replicas < <(pod_addresses)
for replica in "${replicas[@]}"; do within 20 answers https "$replica" 8443 >/dev/null; done

# shake_hands ADDRESS VERSION OPENSSL-ARG...: one request; prints what openssl says of the session.
shake_hands() {
  local at=$1 version=$2
  shift 2
  # The answer has to come before the client ends, for with TLS 1.3 the ticket comes beside it.
  { printf 'GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$host"; sleep 1; } |
    namespace timeout 10 openssl s_client -connect "$at:8443" -servername "$host" -CAfile "$dir/world/ca.crt" "-$version" -ign_eof "$@" 2>&1
}

# resumes FROM TO VERSION
resumes() {
  local session=$dir/session.$3 said
  rm -f "$session"
  shake_hands "$1" "$3" -sess_out "$session" >/dev/null || true
  [[ -s $session ]] || { echo "$1 gave no session"; return 1; }
  said=$(shake_hands "$2" "$3" -sess_in "$session" || true)
  grep -q '^Reused' <<<"$said" || { grep -E '^(New|Reused)|error' <<<"$said"; return 1; }
}
check "there are two replicas" is "${#replicas[@]}" 2
for version in tls1_2 tls1_3; do
  check "$version: a ticket of a replica resumes there" resumes "${replicas[0]}" "${replicas[0]}" "$version"
  check "$version: a ticket of one replica resumes on the other" resumes "${replicas[0]}" "${replicas[1]}" "$version"
  check "$version: and the other way" resumes "${replicas[1]}" "${replicas[0]}" "$version"
done
