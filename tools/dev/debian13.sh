# shellcheck shell=bash disable=SC2154
# ./dev debian13 VERB [ARGS]: the verb inside a Debian 13 root, on a Debian 12 machine. The root is made once, by debootstrap, in the
# cache folder; the tree is seen at its own path, with build/debian13 as its build folder; mounts end with the verb.

debian13_root=$cache/debian13

# make_debian13_root: a minimal Debian 13; packages of the verbs are installed by the verbs, inside.
make_debian13_root() {
  local fresh=$debian13_root.new log=$debian13_root.log mirror
  [[ ! -e $debian13_root/etc/debian_version ]] || return 0
  need debian13
  say "making a Debian 13 root in $debian13_root"
  rm -rf "$fresh"
  mkdir -p "$cache"
  if ! debootstrap --variant=minbase --include=ca-certificates trixie "$fresh" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "debootstrap failed (whole output: $log)"
  fi
  # The mirror is debootstrap's own choice, as it has written it down.
  mirror=$(awk '$1 == "deb" { print $2; exit }' "$fresh/etc/apt/sources.list")
  cat >"$fresh/etc/apt/sources.list" <<TEXT
deb $mirror trixie main
deb $mirror trixie-updates main
deb ${mirror}-security trixie-security main
TEXT
  # What this machine trusts beside Debian's authorities (a company's proxy), the root trusts too.
  if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
    cp -L /usr/local/share/ca-certificates/*.crt "$fresh/usr/local/share/ca-certificates/"
    chroot "$fresh" update-ca-certificates >>"$log" 2>&1 || fail "update-ca-certificates failed (whole output: $log)"
  fi
  mv "$fresh" "$debian13_root"
}

# Runs in a mount namespace of its own: ROOT TOP CACHE COMPILER-CACHE VERB [ARGS]
enter_debian13() {
  set -euo pipefail
  local root=$1 top=$2 cache=$3 compiled=$4
  shift 4
  see() {
    mkdir -p "$1" "$root$2"
    mount --rbind "$1" "$root$2"
  }
  see /proc /proc
  see /sys /sys
  see /dev /dev
  see "$top" "$top"
  see "$top/build/debian13" "$top/build"
  see "$cache/in-debian13" /var/cache/weir
  see "$compiled" /var/cache/compiled
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  exec chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM="${TERM:-dumb}" LANG=C.UTF-8 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    WEIR_CACHE=/var/cache/weir CCACHE_DIR=/var/cache/compiled WEIR_JOBS="${WEIR_JOBS:-}" WEIR_LEGS="${WEIR_LEGS:-}" \
    "$top/dev" "$@"
}

verb_debian13() {
  [[ $# -gt 0 ]] || fail "debian13 needs a verb: ./dev debian13 test"
  [[ $(id -u) == 0 ]] || fail "debian13 needs root: it mounts the tree into another root"
  need build
  make_debian13_root
  mkdir -p build/debian13
  exec unshare --mount --propagation private bash -c "$(declare -f enter_debian13); enter_debian13 \"\$@\"" enter_debian13 \
    "$debian13_root" "$top" "$cache" "$(ccache --get-config cache_dir)" "$@"
}
