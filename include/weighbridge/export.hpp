// Marks what the shared library exports; everything else stays hidden.
#pragma once

#if defined(__GNUC__)
#define WB_EXPORT __attribute__((visibility("default")))
#else
#define WB_EXPORT
#endif

// Lets clang warn when a view outlives the object it was taken from.
#if defined(__clang__)
#define WB_LIFETIME_BOUND [[clang::lifetimebound]]
#else
#define WB_LIFETIME_BOUND
#endif
