#include "cli/progress.hpp"

#include <chrono>
#include <cstdio>
#include <optional>

#include <fmt/format.h>

#include "cli/json.hpp"
#include "cli/terminal.hpp"

namespace weighbridge::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kBarWidth = 30;
constexpr const char* kWipeLine = "\r\x1b[K";

bool wants_bar(ProgressMode mode, bool quiet) {
  if (mode == ProgressMode::Auto) return !quiet && is_screen(stderr);
  return mode == ProgressMode::Always;
}

void draw(std::uint64_t done, std::uint64_t total, Clock::duration elapsed) {
  const double part = static_cast<double>(done) / static_cast<double>(total);
  const double seconds = std::chrono::duration<double>(elapsed).count();
  const auto speed = seconds > 0 ? static_cast<std::uint64_t>(static_cast<double>(done) / seconds) : 0;
  const int filled = static_cast<int>(part * kBarWidth);
  fmt::print(stderr, "{}[{:#<{}}{:.<{}}] {:3.0f}%  {}/s", kWipeLine, "", filled, "", kBarWidth - filled,
             part * 100, size_text(speed));
}

// Flushed line by line: whoever reads it has to know now.
void print_line(std::uint64_t done, std::uint64_t total) {
  Json json = document("progress");
  json["done"] = done;
  json["total"] = total;
  fmt::print(stderr, "{}\n", json_line(json));
  std::fflush(stderr);
}

}  // namespace

Progress make_progress(ProgressMode mode, bool quiet) {
  if (mode == ProgressMode::Json) return print_line;
  if (!wants_bar(mode, quiet)) return {};
  return [start = std::optional<Clock::time_point>()](std::uint64_t done, std::uint64_t total) mutable {
    if (total == 0) return;
    if (!start) start = Clock::now();
    draw(done, total, Clock::now() - *start);
    if (done == total) fmt::print(stderr, "{}", kWipeLine);
    std::fflush(stderr);
  };
}

void clear_progress(ProgressMode mode, bool quiet) {
  if (wants_bar(mode, quiet)) fmt::print(stderr, "{}", kWipeLine);
}

}  // namespace weighbridge::cli
