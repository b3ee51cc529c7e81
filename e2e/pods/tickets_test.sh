#!/usr/bin/env bash
# tickets_test.sh DIR: a TLS session ticket of one replica resumes on another; the keys rotate, all replicas make tickets with the
# new one within a minute, and a ticket of the old one resumes on.
# shellcheck source=e2e/pods/stage.sh
source "$(dirname "$0")/stage.sh"

period=30
make_world
install_weir --set controller.replicaCount=2 --set controller.ticketKeys.period=${period}s
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

# The first 16 bytes of a key are its name, which stands in clear at the front of each ticket.
ring() { kw get secret weir-ticket-keys -o jsonpath='{.data.keys\.json}' | base64 -d | jq -r ".$1"; }
ring_name() { ring "$1" | base64 -d | head -c 16 | od -An -tx1 | tr -d ' \n'; }
# ticket_name ADDRESS: of the key that this replica makes tickets with.
ticket_name() {
  local session=$dir/session.name
  rm -f "$session"
  shake_hands "$1" tls1_2 -sess_out "$session" >/dev/null || true
  openssl sess_id -in "$session" -noout -text | awk '$1 == "0000" { gsub(/-/, " "); for (i = 2; i < 18; i++) printf "%s", $i }'
}
all_make_tickets_with() {
  local replica
  for replica in "${replicas[@]}"; do is "$(ticket_name "$replica")" "$1" || return 1; done
}
rotated() { [[ $(ring rotated) != "$1" ]]; }

check "both replicas make tickets with the key of the Secret" within 30 all_make_tickets_with "$(ring_name current)"
before=$(ring rotated) next=$(ring_name next)
shake_hands "${replicas[0]}" tls1_2 -sess_out "$dir/session.old" >/dev/null || true
check "the keys rotate after $period s" within $((period + 15)) rotated "$before"
start=$(millis)
check "the next key is the current one" is "$(ring_name current)" "$next"
check "both replicas make tickets with it" within 60 all_make_tickets_with "$next"
say "seen by two handshakes, one after the other, $(($(millis) - start)) ms after the rotation was seen"
old_resumes() { shake_hands "${replicas[1]}" tls1_2 -sess_in "$dir/session.old" | grep '^Reused' >/dev/null; }
check "a ticket of the key before resumes on the other replica" old_resumes

before=$(ring current)
check "helm upgrade" install_weir --set controller.replicaCount=2 --set dataplane.extraArgs.log-level=warn
after="$(ring current) $(ring previous)"
check "leaves the keys to the replicas" grep -qF -- "$before" <<<"$after"
