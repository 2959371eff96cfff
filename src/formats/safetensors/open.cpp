// Apart from the rest of SafetensorsFile, which needs no file system.
#include <exception>
#include <optional>
#include <utility>

#include <weighbridge/safetensors_file.hpp>

#include "io/crew.hpp"
#include "io/page_arena.hpp"

namespace weighbridge {
namespace {

// Fewer files than this are open before another thread has started.
constexpr std::size_t kWorthThread = 8;
// So few headers cost no more than a place of their own.
constexpr std::size_t kWorthArena = 16;
// So many fill most of a large page.
constexpr std::size_t kFillArena = 40;
// What is kept of the header of 300 tensors.
constexpr std::size_t kUsualBytes = std::size_t{28} << 10;

using Arenas = std::vector<std::shared_ptr<std::pmr::memory_resource>>;

// One for each thread, as far as they will be filled: what one does with its memory then keeps no other
// waiting.
Arenas make_arenas(std::size_t files) {
  if (files < kWorthArena) return {};
  Arenas arenas(io::useful_lanes(files, kFillArena));
  for (auto& arena : arenas) arena = std::make_shared<io::PageArena>(files / arenas.size() * kUsualBytes);
  return arenas;
}

struct Opened {
  std::optional<SafetensorsFile> file = {};
  std::exception_ptr failure = {};
};

}  // namespace

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path, ReadMode mode,
                                      const Limits& limits) {
  return from_source(open_file(path, mode), limits);
}

SafetensorsFile SafetensorsFile::open_in(const std::shared_ptr<std::pmr::memory_resource>& memory,
                                         const std::filesystem::path& path, ReadMode mode,
                                         const Limits& limits) {
  SourcePtr source = open_file(path, mode);
  Header header = read_header(*source, limits, memory);
  return {std::move(source), std::move(header)};
}

std::vector<SafetensorsFile> SafetensorsFile::open_all(std::span<const std::filesystem::path> paths,
                                                       ReadMode mode, const Limits& limits) {
  std::vector<Opened> opened(paths.size());
  const Arenas together = make_arenas(paths.size());
  io::run_crew(paths.size(), io::useful_lanes(paths.size(), kWorthThread), [&](std::size_t i, unsigned lane) {
    try {
      opened[i].file = together.empty() ? open(paths[i], mode, limits)
                                        : open_in(together[lane % together.size()], paths[i], mode, limits);
    } catch (...) {
      opened[i].failure = std::current_exception();  // whichever thread was first, the first file counts
    }
  });
  std::vector<SafetensorsFile> files;
  files.reserve(opened.size());
  for (Opened& each : opened) {
    if (each.failure) std::rethrow_exception(each.failure);
    files.push_back(*std::move(each.file));
  }
  return files;
}

}  // namespace weighbridge
