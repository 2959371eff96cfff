// Any bytes as a sidecar: an archive that reads back, or an Error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/write.hpp>

#include "formats/pickle/machine.hpp"
#include "formats/restore/plan.hpp"

namespace {

using namespace weighbridge;

void require(bool condition) {
  if (!condition) std::abort();
}

Checkpoint tensors(const char* name) {
  Checkpoint checkpoint;
  checkpoint.source_bytes = 64;
  checkpoint.tensors.push_back({.spec = {.name = name, .dtype = DType::U8, .shape = {2, 4}},
                                .data = {.source = memory_source(Buffer::take(std::string(64, 'x')))}});
  return checkpoint;
}

/// The pickle that was written is one that can be read, and names nothing dangerous.
void check_pickle(const FilePlan& plan) {
  const CopyStep& content = plan.steps.at(1);
  const Buffer bytes = content.source->read(0, content.runs.total_bytes);
  const pickle::Outcome outcome = pickle::run(memory_source(bytes), 0, Limits{});
  require(!outcome.failure);
  for (const pickle::GlobalUse& use : outcome.graph.globals()) {
    require(use.verdict == pickle::classify(use.module, use.name));
    require(use.verdict != pickle::GlobalClass::Dangerous);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const SourcePtr source = memory_source(Buffer::take(std::vector<std::byte>(bytes.begin(), bytes.end())));
  const Checkpoint model = tensors("w");
  const Checkpoint optimizer = tensors("v");
  try {
    const json::Document sidecar = restore::parse_sidecar(source, Limits{});
    Findings findings;
    check_pickle(restore::plan_torch_zip({.model = model, .optimizer = &optimizer, .sidecar = &sidecar},
                                         restore::Objects::Drop, Limits{}, findings));
  } catch (const Error& error) {
    require(error.code() != ErrorCode::IoError);  // nothing outside its own bytes is read
  }
  return 0;
}
