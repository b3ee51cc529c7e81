#!/usr/bin/env bash
# row_17_descriptors_test.sh DIR: a dataplane with few descriptors, a crowd that takes them all and says nothing: who asks is served,
# nothing spins, and when the crowd has gone a new client is served at once.
# shellcheck source=e2e/faults/alone/alone.sh disable=SC2119
source "$(dirname "$0")/alone.sh"

# crowd: 600 connections that are opened again whenever they are closed, until SIGTERM.
cat >"$row/crowd.py" <<PY
import selectors, socket, time
chosen = selectors.DefaultSelector()
def open_one():
    one = socket.socket(); one.setblocking(False)
    one.connect_ex(("127.0.0.1", $http)); chosen.register(one, selectors.EVENT_READ)
for _ in range(600): open_one()
while True:
    for key, _ in chosen.select(1):
        chosen.unregister(key.fileobj); key.fileobj.close(); open_one()
        time.sleep(0.002)
PY

make_world
# shellcheck disable=SC2016 # the inner shell expands it
process dataplane bash -c 'ulimit -n 256; exec "$@"' bash "$binaries/weir-dataplane" --control-socket "$row/control.sock" \
  --dump-socket "$row/dump.sock" --admin-port "$dataplane_admin" --workers 1 --shutdown-delay 0 --drain-timeout 1s --access-log-path /dev/null
controller
within 30 answers >/dev/null
check "it has 256 descriptors" is "$(awk '/Max open files/ { print $4 }' "/proc/$(worker_pid)/limits")" 256
under_load --websockets 0
before=$(load_value fault requests)
process crowd python3 "$row/crowd.py"
sleep 5
# A connection may come to need a second descriptor, for its backend: those are kept free.
check "as many as there may be" at_least "$(find "/proc/$(worker_pid)/fd" | wc -l)" 110
loses_nothing 100000
check "clients that ask went on being served" at_least "$(load_value fault requests)" $((before + 1000))

finished crowd
# A crowd that stays as it is: nothing happens, so nothing may be burnt.
sed -i 's/; open_one()$//' "$row/crowd.py"
process crowd python3 "$row/crowd.py"
sleep 3
used() { awk '{ sum += $1 } END { printf "%d\n", sum / 1000000 }' "/proc/$(worker_pid)"/task/*/schedstat; }
before=$(used)
sleep 5
bound "processor time in 5 s with 600 silent connections at the door" $(($(used) - before)) 500 ms
finished crowd
start=$(millis)
check "a new client is served" within 5 answers
bound "after the crowd went" $(($(millis) - start)) 1000 ms
fault_line 17
