#!/usr/bin/env bash
# row_14_version_skew_test.sh DIR: programs of two versions together, both ways: what one does not know it ignores or refuses by name,
# what was served stays served. WEIR_E2E_OLD_BIN names the folder of programs that lack types of resource, WEIR_E2E_LAST_BIN that of the
# version before (e2e/faults/alone/old_programs.sh makes both). The older controller of the second half is the last one: the oldest ends
# a session with a dataplane that has more types than it knows.
# shellcheck source=e2e/faults/alone/alone.sh disable=SC2119
source "$(dirname "$0")/alone.sh"

old=${WEIR_E2E_OLD_BIN:?the folder of older programs}
last=${WEIR_E2E_LAST_BIN:?the folder of the version before}

# serves_changes WHAT: a route comes, moves and goes, and a certificate changes.
serves_changes() {
  route skew skew.test echo
  check "$1: a new route is served" within 20 answers skew.test
  request DELETE "$ingresses/skew" >/dev/null
  check "$1: it goes" within 20 answers skew.test 404
  certificate world "$host"
  newest() {
    is "$(inside openssl s_client -connect "127.0.0.1:$https" -servername "$host" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint)" \
      "$(openssl x509 -noout -fingerprint -in "$row/world.crt")"
  }
  check "$1: the new certificate is served" within 20 newest
}

make_world
programs_at=$old weir
under_load
serves_changes "both old"
finished controller
controller
check "the newer controller is in step with the older dataplane" within 20 is "$(sleep 3; metric "$controller_admin" weir_controller_dataplane_connected)" 1
serves_changes "controller N, dataplane N-1"
# A setting that the older one may not know harms its own route at most.
request PATCH "$ingresses/shop" -H 'Content-Type: application/merge-patch+json' >/dev/null --data-binary \
  '{"metadata":{"annotations":{"nginx.ingress.kubernetes.io/proxy-read-timeout":"77","nginx.ingress.kubernetes.io/proxy-next-upstream-tries":"2"}}}'
sleep 1
check "it goes on" answers
finished controller
programs_at=$old controller
check "the older controller finds everything again" within 20 is "$(sleep 3; metric "$controller_admin" weir_controller_dataplane_connected)" 1
loses_nothing 50000
quiet=$(load_value fault requests)

finished controller
finished dataplane
programs_at=$last controller
dataplane
check "controller N-1, dataplane N: it answers" within 20 answers
under_load
serves_changes "controller N-1, dataplane N"
finished controller
controller
serves_changes "both new"
loses_nothing $((quiet > 50000 ? 50000 : 100000 - quiet))
say "and $quiet requests before"
fault_line 14
