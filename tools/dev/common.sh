# shellcheck shell=bash disable=SC2034,SC2154
# What every verb uses: words for the reader, the cache folder, compiler-cache settings. Sourced by ./dev.

cache=${WEIR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/weir}
export WEIR_CACHE=$cache
jobs=${WEIR_JOBS:-$(nproc)}

# Compilations are shared between clones and presets; the precompiled header needs the two sloppiness words.
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$top}
export CCACHE_NOHASHDIR=1
export CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-5G}

say() { echo "==> $*"; }
fail() {
  echo "error: $*" >&2
  exit 1
}

usage() {
  sed "s|%CACHE%|$cache|" <<'TEXT'
./dev VERB: installs what the verb needs (Debian packages when root; else it says what is missing), then does it.

  up [--http-port N] [--https-port N] [--admin-port N]
                 builds, starts sample backends and Weir on a copy of examples/hello; Ctrl-C ends all
  build          build/release/bin/{weir-controller,weir-dataplane,weirctl}
  ship           the same in build/shipped/bin as they are shipped: link-time and profile-guided optimisation (some minutes)
  test           every test: release, asan, tsan, fuzz (WEIR_LEGS="release asan" chooses)
  e2e            Weir in a real Kubernetes, built once (root): the parts below, one after the other
  e2e api [REGEX]    the tests against a real etcd and kube-apiserver; `test` runs these
  e2e rows [REGEX]   rows of the fault matrix that need no pods, the same control plane under load
  e2e pods [REGEX]   a whole cluster, the image, helm install, upgrades and faults under load
  e2e up | down      keeps that cluster for several runs of `e2e pods`
  bench [ARGS]   the benchmark against nginx and HAProxy; ARGS go to bench/run.py
  fuzz [SECONDS] every fuzz target for so long each (60)
  fmt            clang-format on all our C++ files
  debian13 VERB  the verb inside a Debian 13 root, made once by debootstrap (root); builds land in build/debian13
  check [--all]  formatting, structure, shellcheck, clang-tidy on files changed since main (--all: every file)

Environment: WEIR_CACHE (kept programs, now %CACHE%), WEIR_JOBS (parallel compilations),
WEIR_NO_INSTALL=1 (never call apt-get).
TEXT
}

# cpp_files [FOLDER...]: our C++ files, one a line.
cpp_files() {
  local folder
  for folder in "${@:-common controller dataplane weirctl tests bench e2e}"; do
    # shellcheck disable=SC2086 # the default is a list of words
    find $folder -name build -prune -o -type f \( -name '*.cc' -o -name '*.h' \) -print 2>/dev/null || true
  done | sort
}

# elapsed SECONDS-OF-START: whole seconds since then.
elapsed() { echo "$((SECONDS - $1))"; }
