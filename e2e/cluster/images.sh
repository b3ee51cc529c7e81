# shellcheck shell=bash disable=SC2154
# Images for a cluster without a registry: made by buildah, kept as archives, imported into containerd. Sourced after
# node_common.sh, not run.

images=${WEIR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/weir}/e2e-images

# Its own store, so that it neither sees nor leaves anything in root's.
image_builder() { buildah --root "$images/store" --runroot "$images/run" --storage-driver "$(image_driver)" "$@"; }

# overlay, or vfs where the folder's file system cannot carry it.
image_driver() {
  if [[ ! -s $images/driver ]]; then
    mkdir -p "$images"
    if buildah --root "$images/probe" --runroot "$images/probe-run" --storage-driver overlay info >/dev/null 2>&1; then
      echo overlay >"$images/driver"
    else
      echo vfs >"$images/driver"
    fi
    rm -rf "$images/probe" "$images/probe-run"
  fi
  cat "$images/driver"
}

# libraries_of FILE...: the shared libraries that the loader takes for these programs, one path a line.
libraries_of() { ldd "$@" 2>/dev/null | grep -o '/[^ ]*\.so[^ ]*' | sort -u; }

# program_archive NAME PROGRAM [WORD...]: prints an archive of the image localhost/weir-e2e/NAME:1, made when missing: nothing
# but the program, as /NAME, and its libraries. It runs as 65532; the words are its first arguments.
program_archive() {
  local name=$1 program=$2 hash archive root library entry
  shift 2
  mapfile -t libraries < <(libraries_of "$program")
  hash=$(sha256sum "$program" "${libraries[@]}" <(echo "$*") | cut -d' ' -f1 | sha256sum | cut -c1-16)
  archive=$images/$name-$hash.tar
  if [[ ! -e $archive ]]; then
    root=$(mktemp -d)
    cp "$program" "$root/$name"
    for library in "${libraries[@]}"; do install -D "$library" "$root$library"; done
    entry=$(printf '"%s",' "/$name" "$@")
    printf 'FROM scratch\nCOPY . /\nUSER 65532:65532\nENTRYPOINT [%s]\n' "${entry%,}" >"$root.Containerfile"
    mkdir -p "$images"
    image_builder bud --isolation chroot --quiet -f "$root.Containerfile" -t "localhost/weir-e2e/$name:1" "$root" >/dev/null
    image_builder push --quiet "localhost/weir-e2e/$name:1" "oci-archive:$archive.part:localhost/weir-e2e/$name:1"
    rm -rf "$root" "$root.Containerfile" "$images/$name"-*.tar
    mv "$archive.part" "$archive"
  fi
  echo "$archive"
}

# need_debian NAME RELEASE: an image of that name, a minimal Debian made by debootstrap: for `FROM NAME` without a registry.
need_debian() {
  local tar=$images/debian-$2.tar root
  ! image_builder inspect --type image "$1" >/dev/null 2>&1 || return 0
  mkdir -p "$images"
  if [[ ! -e $tar ]]; then
    root=$(mktemp -d -p "$images")
    debootstrap --variant=minbase --include=ca-certificates "$2" "$root/rootfs" >"$images/debootstrap.log" 2>&1 ||
      fail "debootstrap failed; its output: $images/debootstrap.log"
    tar -C "$root/rootfs" --exclude='./var/cache/apt/archives/*.deb' --exclude='./var/lib/apt/lists/*_*' -cf "$tar.part" .
    mv "$tar.part" "$tar"
    rm -rf "$root"
  fi
  root=$(mktemp -d -p "$images")
  ln "$tar" "$root/rootfs.tar"
  printf 'FROM scratch\nADD rootfs.tar /\nCMD ["bash"]\n' >"$root/Containerfile"
  image_builder bud --isolation chroot --quiet -t "$1" "$root" >/dev/null
  rm -rf "$root"
}

# weir_archive: prints an archive of the image localhost/weir-e2e/weir:1, built from the repository's Dockerfile. Layers are kept, and
# the compiler's cache is the machine's, so that it costs ten minutes of processor once.
weir_archive() {
  local top archive=$images/weir.tar compiled
  top=$(realpath "$here/../..")
  compiled=$(ccache --get-config cache_dir)
  mkdir -p "$compiled"
  need_debian docker.io/library/debian:13-slim trixie
  image_builder bud --isolation chroot --pull-never --layers --volume "$compiled:/var/cache/compiled" \
    -t localhost/weir-e2e/weir:1 "$top" >"$images/weir.log" 2>&1 ||
    fail "the image was not built; the end of $images/weir.log: $(tail -n 20 "$images/weir.log")"
  rm -f "$archive"
  image_builder push --quiet localhost/weir-e2e/weir:1 "oci-archive:$archive:localhost/weir-e2e/weir:1"
  echo "$archive"
}

import_image() { runtime images import "$1" >/dev/null; }
