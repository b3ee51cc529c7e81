#!/usr/bin/env bash
# row_02_cold_start_without_api_server_test.sh DIR: both programs start while the API server is away: not ready, 503; the first answer
# comes within a second of its return, three times.
# shellcheck source=e2e/faults/alone/alone.sh disable=SC2119
source "$(dirname "$0")/alone.sh"

make_world
slowest=0
for _ in 1 2 3; do
  bash "$here/apiserver.sh" "$dir" stop
  dataplane
  controller
  check "the dataplane is alive" within 10 is "$(sleep 1; status_of "$dataplane_admin" /healthz)" 200
  check "and not ready" is "$(status_of "$dataplane_admin" /readyz)" 503
  check "and the controller is not" is "$(status_of "$controller_admin" /readyz)" 503
  bash "$here/apiserver.sh" "$dir" start
  start=$(millis)
  check "it answers" within 60 answers
  took=$(($(millis) - start))
  ((took <= slowest)) || slowest=$took
  finished controller
  finished dataplane
done
bound "slowest first answer after the API server's return" "$slowest" 1000 ms
fault_line 2
