#pragma once

namespace weir::tests {

// Whether this is a build with a sanitizer: there a test that is large to show a cost may be a
// tenth of its size, because the sanitizer looks for other mistakes and the release build measures
// the cost. clang names its sanitizers by __has_feature.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace weir::tests
