#!/usr/bin/env bash
# assemble.sh ROOT VERB: the image's root file system in the new folder ROOT: the programs that ./dev VERB built, every library
# that the loader finds for them, the copyright files of the packages that these libraries come from, and a list of all of it at
# /usr/share/weir/sbom.spdx.json. Debian only. What is copied follows from the programs; no list of packages is kept here.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
root=${1:?the folder to make}
case ${2:?the verb that built: build or ship} in
  build) built=$top/build/release ;;
  ship) built=$top/build/shipped ;;
  *) echo "error: '$2' is not a verb that builds programs: build or ship" >&2 && exit 2 ;;
esac
programs=(weir-dataplane weir-controller weirctl)

fail() {
  echo "error: $*" >&2
  exit 1
}

# libraries_of PROGRAM...: paths of the shared libraries and the loader, one a line.
libraries_of() {
  local found
  found=$(ldd "$@")
  [[ $found != *'not found'* ]] || fail "a library is missing: $(grep 'not found' <<<"$found")"
  sed -nE 's/^\s+(\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/\2/p' <<<"$found" | sort -u
}

# package_of FILE: the package that ships it. The database may know a file of /usr/lib by its old place, /lib.
package_of() {
  local real owner
  real=$(readlink -f "$1")
  owner=$(dpkg-query -S "$real" 2>/dev/null || dpkg-query -S "${real#/usr}" 2>/dev/null) ||
    fail "$1 ($real) belongs to no package: what is shipped must be traceable"
  head -n 1 <<<"$owner" | cut -d: -f1
}

# The four top folders are links, as on every Debian, so that the loader finds what it is asked for by either path.
make_root() {
  local name
  [[ ! -e $root ]] || fail "$root is there already"
  mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,usr/share/weir,etc,run/weir,tmp}
  for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
  chmod 1777 "$root/tmp"
  chmod 0700 "$root/run/weir"
  printf 'root:x:0:0:root:/:/none\nweir:x:65532:65532:weir:/:/none\n' >"$root/etc/passwd"
  printf 'root:x:0:\nweir:x:65532:\n' >"$root/etc/group"
  printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
  if [[ $(id -u) == 0 ]]; then chown 65532:65532 "$root/run/weir"; fi
}

# may_bind_low_ports FILE: CAP_NET_BIND_SERVICE (bit 10) as permitted, not as effective: a container that takes it away can still start
# the program. By the extended attribute itself (struct vfs_ns_cap_data, version 2), which needs no further package.
may_bind_low_ports() {
  python3 -c 'import os, struct, sys; os.setxattr(sys.argv[1], "security.capability", struct.pack("<5I", 0x02000000, 1 << 10, 0, 0, 0))' "$1"
}

copy_programs() {
  local program
  for program in "${programs[@]}"; do
    [[ -x $built/bin/$program ]] || fail "$built/bin/$program was not built"
    strip --strip-debug -o "$root/usr/bin/$program" "$built/bin/$program"
    chmod 0755 "$root/usr/bin/$program"
  done
  # By this name kubectl finds it, for whoever copies the folder out of the image.
  ln -s weirctl "$root/usr/bin/kubectl-weir"
  if [[ $(id -u) == 0 ]]; then may_bind_low_ports "$root/usr/bin/weir-dataplane"; fi
}

# copy_libraries: under the name that the loader asks for; prints their packages, one a line.
copy_libraries() {
  local library folder
  while read -r library; do
    folder=$(readlink -f "$(dirname "$library")")
    mkdir -p "$root$folder"
    cp -L "$library" "$root$folder/"
    package_of "$library"
  done < <(libraries_of "${programs[@]/#/$built/bin/}") | sort -u
}

copy_copyright() {
  local package
  for package in "$@"; do
    [[ -e /usr/share/doc/$package/copyright ]] || continue
    mkdir -p "$root/usr/share/doc/$package"
    cp -L "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/"
  done
}

# header_packages: packages whose headers were compiled in; some have no library at all. From the compiler's own dependency files,
# those of tests left out.
header_packages() {
  ninja -C "$built" -t deps 2>/dev/null |
    awk '/^[^ ]/ { ours = !/^(tests|bench|e2e)\// } ours && /^ +\/usr\/include\// { print $1 }' | sort -u |
    xargs -r readlink -f | xargs -r dpkg-query -S 2>/dev/null | cut -d: -f1 | sort -u || true
}

main() {
  local -a linked compiled
  make_root
  copy_programs
  mapfile -t linked < <(copy_libraries)
  [[ ${#linked[@]} -gt 0 ]] || fail "no library was found"
  mapfile -t compiled < <(header_packages)
  copy_copyright "${linked[@]}"
  cp "$top/LICENSE" "$root/usr/share/weir/"
  python3 "$top/tools/image/sbom.py" --programs "${programs[@]/#/$root/usr/bin/}" --linked "${linked[@]}" \
    --headers "${compiled[@]}" >"$root/usr/share/weir/sbom.spdx.json"
  echo "==> $root: $(du -sh "$root" | cut -f1), ${#programs[@]} programs, ${#linked[@]} packages of libraries"
}

main
