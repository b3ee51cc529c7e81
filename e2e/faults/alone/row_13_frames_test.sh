#!/usr/bin/env bash
# row_13_frames_test.sh DIR: a configuration message cut at every byte, with a bit flipped in each, of 2 GB, replayed
# (tests/push/frames_test.cc, on the real socket of a real dataplane).
# shellcheck source=e2e/faults/alone/alone.sh disable=SC2119
source "$(dirname "$0")/alone.sh"

check "whole updates or nothing" "$binaries/push_frames" --gtest_output="json:$row/result.json"
"$binaries/push_frames" --gtest_filter='*Cut*:*Flipped*' | grep '^\[ row 13' || true
fault_line 13
