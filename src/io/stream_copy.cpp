#include "io/stream_copy.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace weighbridge::io {

#ifdef __SSE2__

namespace {

constexpr std::size_t kWord = sizeof(__m128i);
constexpr std::size_t kLine = 4 * kWord;

std::size_t bytes_to_line(const std::byte* to) noexcept {
  return (kLine - reinterpret_cast<std::uintptr_t>(to) % kLine) % kLine;
}

void stream_line(const std::byte* from, std::byte* to) noexcept {
  const auto* words = reinterpret_cast<const __m128i*>(from);
  const __m128i first = _mm_loadu_si128(words);
  const __m128i second = _mm_loadu_si128(words + 1);
  const __m128i third = _mm_loadu_si128(words + 2);
  const __m128i fourth = _mm_loadu_si128(words + 3);
  auto* line = reinterpret_cast<__m128i*>(to);
  _mm_stream_si128(line, first);
  _mm_stream_si128(line + 1, second);
  _mm_stream_si128(line + 2, third);
  _mm_stream_si128(line + 3, fourth);
}

}  // namespace

void stream_copy(std::span<const std::byte> from, std::byte* to) noexcept {
  if (from.empty()) return;
  const std::size_t head = std::min(bytes_to_line(to), from.size());
  std::memcpy(to, from.data(), head);
  std::size_t done = head;
  for (; from.size() - done >= kLine; done += kLine) stream_line(from.data() + done, to + done);
  std::memcpy(to + done, from.data() + done, from.size() - done);
  _mm_sfence();  // such stores are not in order with others, nor seen by a thread that is told of them
}

#else

void stream_copy(std::span<const std::byte> from, std::byte* to) noexcept {
  if (!from.empty()) std::memcpy(to, from.data(), from.size());
}

#endif

}  // namespace weighbridge::io
