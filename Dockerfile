# The image: weir-dataplane, weir-controller and weirctl, the libraries that they are linked to, and nothing else: no shell, no
# package manager. The pod starts a program by its name; user 65532; nothing is written outside /run/weir and /tmp.
#
#   docker build -t weir .                                  (or: buildah bud -f Dockerfile -t weir .)
#   docker build --build-arg VERB=ship -t weir .            link-time and profile-guided optimisation, some minutes more
#
# A folder mounted at /var/cache/compiled is the compiler's cache of the build stage.

FROM docker.io/library/debian:13-slim AS build
WORKDIR /src
# The packages first, so that a change of the sources does not fetch them again. The list is that of ./dev.
COPY tools/dev/common.sh tools/dev/packages.sh tools/dev/
COPY tools/image/build_packages.sh tools/image/
RUN bash tools/image/build_packages.sh
COPY . .
ARG VERB=build
ENV CCACHE_DIR=/var/cache/compiled
RUN ./dev "$VERB" && bash tools/image/assemble.sh /image "$VERB"

FROM scratch
COPY --from=build /image/ /
USER 65532:65532
WORKDIR /run/weir
CMD ["/usr/bin/weirctl", "--help"]
