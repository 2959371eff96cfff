#include <array>

#include <weighbridge/load.hpp>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weighbridge {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"auto", "view", "copy", "direct"};

std::string size_text(std::uint64_t bytes) {
  if (bytes < std::uint64_t{1} << 20) return fmt::format("{} bytes", bytes);
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

std::string line_of(const LoadedFile& file) {
  return fmt::format("{}: {}{}, {} wanted, {} read: {}\n",
                     file.name.empty() ? std::string("memory") : "'" + printable(file.name) + "'",
                     load_mode_name(file.mode), file.io_uring ? " by io_uring" : "",
                     size_text(file.bytes_wanted), size_text(file.bytes_read), file.why);
}

}  // namespace

std::string_view load_mode_name(LoadMode mode) noexcept { return kNames[static_cast<std::size_t>(mode)]; }

std::string describe(const LoadReport& report) {
  std::string text;
  for (const LoadedFile& file : report.files) text += line_of(file);
  return text + fmt::format("loaded {} in {:.1f} ms on {} thread{}\n", size_text(report.bytes_wanted),
                            report.seconds * 1000, report.threads, report.threads == 1 ? "" : "s");
}

}  // namespace weighbridge
