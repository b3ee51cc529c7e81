#!/usr/bin/env bash
# row_22_certificates_test.sh DIR: the certificate is replaced a hundred times under load; new handshakes see the new one within a
# second; a pair whose key does not fit is refused and the old one stays.
# shellcheck source=e2e/faults/fault.sh
source "$(dirname "$0")/fault.sh"

under_load 1 --keep-alive 8 --fresh 6
shown() {
  namespace timeout 5 openssl s_client -connect "$(service_address):443" -servername "$host" </dev/null 2>/dev/null |
    openssl x509 -noout -serial
}
shows() { is "$(shown)" "$1"; }
turns=${WEIR_E2E_CERTIFICATES:-100}
slowest=0 late=0
for _ in $(seq 1 "$turns"); do
  new_certificate
  serial=$(openssl x509 -in "$dir/world/tls.crt" -noout -serial)
  apply_certificate
  start=$(millis)
  within 10 shows "$serial" >/dev/null || late=$((late + 1))
  took=$(($(millis) - start))
  ((took <= slowest)) || slowest=$took
done
bound "of $turns certificates, never shown" "$late" 0 ""
bound "slowest, from its write to a handshake that shows it (with two processes started)" "$slowest" 2000 ms
openssl ecparam -name prime256v1 -genkey -noout -out "$dir/world/other.key"
kubectl -n "$world" get secret world -o json |
  jq --arg key "$(base64 -w0 "$dir/world/other.key")" '.data["tls.key"] = $key' | kubectl replace -f - >/dev/null
sleep 2
check "a pair whose key does not fit is refused, the old certificate stays" shows "$serial"
refusal() {
  kubectl -n "$world" get events -o json |
    jq -e 'any(.items[]; .reason == "SecretInvalid" and (.message | test("private key: does not match")))' >/dev/null
}
check "and an Event says so" within 20 refusal
apply_certificate
loses_nothing
fault_line 22
