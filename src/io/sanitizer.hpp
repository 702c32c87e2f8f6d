// SPDX-License-Identifier: Apache-2.0
#pragma once

// OFFSHOOT_ADDRESS_SANITIZER is defined where AddressSanitizer is built in: GCC has a macro for it, Clang a feature.
#if defined(__SANITIZE_ADDRESS__)
#define OFFSHOOT_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OFFSHOOT_ADDRESS_SANITIZER
#endif
#endif
