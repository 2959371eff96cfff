#include "formats/pickle/machine.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "formats/pickle/fault.hpp"
#include "formats/pickle/opcodes.hpp"

namespace weighbridge::pickle {
namespace {

// Opcodes that make no value: a stream of them must end as well.
constexpr std::uint64_t kOpcodesPerNode = 4;

std::uint64_t most_opcodes(const Limits& limits) {
  const auto most = checked_mul(limits.pickle_nodes, kOpcodesPerNode);
  return std::min<std::uint64_t>(most.value_or(kNoNode), kNoNode);
}

std::string opcode_label(std::uint8_t byte) {
  const std::string_view name = opcode(byte).name;
  return name.empty() ? fmt::format("0x{:02x}", byte) : std::string(name);
}

// `byte` is the opcode that failed; without one the stream ended where an opcode was needed.
Error as_error(const Fault& fault, std::optional<std::uint8_t> byte, std::uint64_t offset) {
  const std::string message =
      byte ? fmt::format("pickle opcode {} at byte {} {}", opcode_label(*byte), offset, fault.reason)
           : fmt::format("pickle stream ends at byte {}, before its STOP", offset);
  return {fault.code, message, {}, offset};
}

void check_limits(const Machine& machine, std::uint64_t opcodes) {
  const Limits& limits = machine.limits;
  if (machine.in.consumed() > limits.pickle_bytes) {
    limit_exceeded(fmt::format("lies behind the limit of {} bytes", limits.pickle_bytes));
  }
  if (opcodes > most_opcodes(limits)) {
    limit_exceeded(fmt::format("is one more than the limit of {} opcodes", most_opcodes(limits)));
  }
}

void step(Machine& machine, std::uint8_t byte) {
  const Opcode::Handler handler = opcode(byte).handler;
  if (handler == nullptr) malformed("is none that exists");
  handler(machine);
}

// The stream within has ended; the one around it goes on behind its STOP.
void resume(Machine& machine) {
  Suspended& outer = machine.suspended.back();
  machine.inlays[outer.inlay].root = machine.root;
  machine.stack = std::move(outer.stack);
  machine.memo = std::move(outer.memo);
  machine.suspended.pop_back();
  machine.in.close_frame();
  machine.root = kNoNode;
  machine.stopped = false;
}

// Runs up to STOP; gives the error that ended it before.
std::optional<Error> run_opcodes(Machine& machine, Outcome& outcome) {
  for (std::uint64_t opcodes = 1; !machine.stopped; ++opcodes) {
    const std::uint64_t offset = machine.in.position();
    machine.graph.set_offset(offset);
    std::optional<std::uint8_t> byte;
    try {
      byte = machine.in.opcode();
      check_limits(machine, opcodes);
      step(machine, *byte);
      if (machine.stopped && !machine.suspended.empty()) resume(machine);
    } catch (const Fault& fault) {
      return as_error(fault, byte, offset);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::IoError) throw;
      return error;
    }
    outcome.end = machine.in.position();
  }
  return std::nullopt;
}

bool refers_to(const Graph& graph, NodeId node, const std::vector<NodeId>& targets) {
  const auto is_target = [&](NodeId id) { return std::ranges::binary_search(targets, id); };
  const Kind kind = graph.kind(node);
  if (is_target(graph.state(node))) return true;
  if (kind == Kind::Persistent) return is_target(graph.persistent_id(node));
  if (kind == Kind::Call || kind == Kind::Object) {
    if (is_target(graph.callable(node))) return true;
  }
  return std::ranges::any_of(graph.items(node), is_target) ||
         std::ranges::any_of(graph.dict_items(node), is_target);
}

// Such a global is reported unless every use of it was the tolerated one, which leaves no reference to it.
void settle(Machine& machine, const ToleratedForm& form) {
  if (form.globals.empty() || !form.folded) return;
  const Graph& graph = machine.graph.graph();
  for (NodeId node = 0; node < graph.size(); ++node) {
    if (refers_to(graph, node, form.globals)) return;
  }
  if (machine.root != kNoNode && std::ranges::binary_search(form.globals, machine.root)) return;
  for (const NodeId global : form.globals) machine.graph.set_verdict(global, GlobalClass::Constructor);
}

}  // namespace

Outcome run(SourcePtr source, std::uint64_t offset, const Limits& limits, const FindInlay& find_inlay) {
  Machine machine(std::move(source), offset, limits, find_inlay);
  Outcome outcome;
  outcome.end = offset;
  outcome.failure = run_opcodes(machine, outcome);
  outcome.root = machine.root;
  outcome.inlays = std::move(machine.inlays);
  settle(machine, machine.attributes);
  settle(machine, machine.evaluations);
  outcome.graph = std::move(machine.graph).finish();
  return outcome;
}

Outcome run_to_end(SourcePtr source, std::uint64_t offset, const Limits& limits) {
  Outcome outcome = run(std::move(source), offset, limits);
  if (outcome.failure) throw *outcome.failure;
  return outcome;
}

}  // namespace weighbridge::pickle
