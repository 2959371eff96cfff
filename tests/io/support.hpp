// Folders, files, sources and plans for the tests of this room.
#pragma once

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/error.hpp>
#include <weighbridge/write.hpp>

#include <gtest/gtest.h>

#include "support/temp_folder.hpp"

namespace weighbridge::test {

/// Bytes without a short period, so that anything out of place is seen.
inline std::string pattern(std::size_t bytes, std::uint64_t seed = 1) {
  std::string text(bytes, '\0');
  std::uint64_t state = seed * 0x9E3779B97F4A7C15U + 1;
  for (char& c : text) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    c = static_cast<char>(state >> 56U);
  }
  return text;
}

inline std::string text_of(std::span<const std::byte> bytes) {
  std::string text(bytes.size(), '\0');
  std::ranges::copy(bytes, std::as_writable_bytes(std::span(text)).begin());
  return text;
}

/// A source that can only be read, as an inflated one; counts how it is used.
class ReadOnlySource final : public ByteSource {
 public:
  explicit ReadOnlySource(std::string bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check_range(offset, out.size());
    ++reads;
    went_back = went_back || offset < position;
    position = offset + out.size();
    std::ranges::copy(std::as_bytes(std::span(bytes_)).subspan(offset, out.size()), out.begin());
  }
  mutable std::atomic<std::uint64_t> reads = 0;
  mutable std::atomic<std::uint64_t> position = 0;
  mutable std::atomic<bool> went_back = false;

 private:
  std::string bytes_;
};

inline SourcePtr in_memory(std::string bytes) { return memory_source(Buffer::take(std::move(bytes))); }

inline ByteRuns range_of(std::uint64_t offset, std::uint64_t bytes) {
  return {.offset = offset, .run_bytes = bytes, .loops = {}, .total_bytes = bytes};
}

inline ByteRuns strided(std::uint64_t offset, std::uint64_t run_bytes, std::vector<RunLoop> loops) {
  std::uint64_t total = run_bytes;
  for (const RunLoop& loop : loops) total *= loop.count;
  return {.offset = offset, .run_bytes = run_bytes, .loops = std::move(loops), .total_bytes = total};
}

/// Lays steps out behind a head, and knows what the file must be.
class PlanBuilder {
 public:
  explicit PlanBuilder(std::string head) : expected_(head) { plan_.head = std::move(head); }

  PlanBuilder& add(SourcePtr source, ByteRuns runs, std::string bytes,
                   Transform transform = Transform::None) {
    plan_.steps.push_back({.name = "t" + std::to_string(plan_.steps.size()),
                           .source = std::move(source),
                           .runs = std::move(runs),
                           .transform = transform,
                           .destination = expected_.size()});
    expected_ += bytes;
    return *this;
  }

  /// `bytes` of `content` from `offset` on, where `source` holds `content`.
  PlanBuilder& copy(SourcePtr source, const std::string& content, std::size_t offset, std::size_t bytes) {
    return add(std::move(source), range_of(offset, bytes), content.substr(offset, bytes));
  }

  [[nodiscard]] FilePlan plan() const {
    FilePlan plan = plan_;
    plan.total_bytes = expected_.size();
    return plan;
  }
  [[nodiscard]] const std::string& expected() const { return expected_; }

 private:
  FilePlan plan_;
  std::string expected_;
};

/// What `action` throws; fails the test when it throws nothing.
inline std::optional<Error> error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return std::nullopt;
}

inline void expect_error(ErrorCode code, const std::string& words, const std::function<void()>& action) {
  const auto error = error_of(action);
  if (!error) return;
  EXPECT_EQ(error_code_name(error->code()), error_code_name(code)) << error->what();
  EXPECT_NE(std::string(error->what()).find(words), std::string::npos) << error->what();
}

}  // namespace weighbridge::test
