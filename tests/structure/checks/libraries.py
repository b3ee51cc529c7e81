"""Library headers stand only in the files that wrap the library; codec and exchange know no sockets."""

import fnmatch
import re

from checks.tree import SIDES

# Header pattern -> files that may include it. The first matching row decides.
WRAPPERS = (
    ("openssl/*", ("common/crypto/*", "controller/peers/tls*", "dataplane/transport/tls*")),
    ("curl/*", ("controller/kubernetes/*", "dataplane/observe/otlp_post.cc")),
    ("yaml.h", ("controller/kubernetes/*",)),
    ("rapidjson/*", ("common/base/json.cc",)),
    ("spdlog/*", ("common/base/log.cc",)),
    ("fmt/*", ("common/base/*",)),
    ("CLI/*", ("common/base/flags.cc",)),
    ("prometheus/*", ("common/base/metrics*",)),
    ("re2/*", ("common/routing/*",)),
    ("httplib.h", ("controller/admin/*", "weirctl/*")),
    ("crypt.h", ("dataplane/filters/*",)),
    ("nghttp2/*", ("dataplane/codec/*",)),
)
SOCKET_HEADERS = ("sys/socket.h", "sys/epoll.h", "sys/un.h", "netinet/*", "arpa/inet.h", "netdb.h", "poll.h")
SOCKETLESS = ("dataplane/codec/*", "dataplane/exchange/*")

# The C++ and C library and the kernel's interface: everybody's. C++ standard headers have no dot.
_PLATFORM = re.compile(
    r"[a-z_0-9]+|(?:sys|netinet|net|arpa|linux|asm|bits)/[a-z_0-9]+\.h"
    r"|(?:unistd|fcntl|poll|signal|sched|pthread|dirent|fnmatch|glob|pwd|grp|dlfcn|spawn|termios|time|netdb|ifaddrs|syscall"
    r"|endian|byteswap|execinfo|malloc|strings|string|errno|cxxabi|link|elf|ucontext"
    r"|immintrin|emmintrin|tmmintrin|smmintrin|nmmintrin|x86intrin|cpuid|arm_neon|arm_acle)\.h"
    r"|sanitizer/[a-z_]+\.h"
)


def _matches(text, patterns):
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns)


def _refusal(path, header):
    if _matches(header, SOCKET_HEADERS) and _matches(path, SOCKETLESS):
        return f"<{header}>: codec and exchange know no sockets"
    for pattern, files in WRAPPERS:
        if fnmatch.fnmatchcase(header, pattern):
            return None if _matches(path, files) else f"<{header}> belongs only in {', '.join(files)}"
    if not _PLATFORM.fullmatch(header):
        return f"<{header}> is of a library that has no row in checks/libraries.py"
    return None


def check(tree):
    findings = []
    for path in tree.files((".cc", ".h"), SIDES):
        for line, header, quoted in tree.includes(path):
            refusal = None if quoted else _refusal(path, header)
            if refusal:
                findings.append(f"{path}:{line}: {refusal}")
    return findings
