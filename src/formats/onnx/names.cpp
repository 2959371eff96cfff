// Names that are unique in the whole model, and what a model may not do with them.
#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/onnx/model.hpp"
#include "formats/onnx/node.hpp"

namespace weighbridge::onnx {
namespace {

bool keeps_its_name(const Tensor& tensor) { return tensor.role == Role::Initializer && tensor.scope == 0; }

void check_initializers(const Model& model) {
  std::unordered_set<std::string> seen;
  for (const Tensor& tensor : model.tensors) {
    if (tensor.role != Role::Initializer) continue;
    if (tensor.proto.name.empty()) refuse_tensor(tensor.proto, "an initializer without a name");
    if (seen.insert(fmt::format("{} {}", tensor.scope, tensor.proto.name)).second) continue;
    throw Error(ErrorCode::NameCollision,
                fmt::format("{}: two initializers of one graph have this name", tensor_text(tensor.proto)),
                tensor.proto.name, tensor.field.begin);
  }
}

/// Names of different scopes that are the same when they are put behind their paths get a number.
class Namer {
 public:
  void claim(const std::string& name) { taken_.insert(name); }

  std::string make_unique(const std::string& wanted) {
    if (taken_.insert(wanted).second) return wanted;
    std::uint64_t& number = numbers_.try_emplace(wanted, 1).first->second;
    for (;;) {
      std::string name = fmt::format("{}~{}", wanted, ++number);
      if (taken_.insert(name).second) return name;
    }
  }

 private:
  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, std::uint64_t> numbers_;
};

}  // namespace

void name_tensors(Model& model, std::vector<std::string> labels, const Limits& limits) {
  check_initializers(model);
  Namer namer;
  for (const Tensor& tensor : model.tensors) {
    if (keeps_its_name(tensor)) namer.claim(tensor.proto.name);
  }
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    Tensor& tensor = model.tensors[i];
    tensor.name = keeps_its_name(tensor)
                      ? tensor.proto.name
                      : namer.make_unique(join_path(model.scopes[tensor.scope].path, labels[i]));
    if (tensor.name.size() <= limits.name_bytes) continue;
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("the name of a tensor has {} bytes, the limit is {} (byte {})",
                            tensor.name.size(), limits.name_bytes, tensor.field.begin),
                {}, tensor.field.begin);
  }
}

void refuse_recursion(const std::vector<FunctionId>& functions,
                      const std::vector<std::pair<std::uint32_t, std::uint32_t>>& calls) {
  std::vector<std::uint32_t> callers(functions.size(), 0);
  std::multimap<std::uint32_t, std::uint32_t> callees;
  for (const auto& [caller, callee] : calls) {
    ++callers[callee];
    callees.emplace(caller, callee);
  }
  std::vector<std::uint32_t> free;
  for (std::uint32_t i = 0; i < callers.size(); ++i) {
    if (callers[i] == 0) free.push_back(i);
  }
  for (std::size_t i = 0; i < free.size(); ++i) {
    const auto [first, last] = callees.equal_range(free[i]);
    for (auto call = first; call != last; ++call) {
      if (--callers[call->second] == 0) free.push_back(call->second);
    }
  }
  if (free.size() == functions.size()) return;
  const auto bound =
      static_cast<std::size_t>(std::ranges::find_if(callers, [](auto n) { return n > 0; }) - callers.begin());
  throw Error(ErrorCode::MalformedCheckpoint,
              fmt::format("ONNX file: the function '{}' calls itself, or is called by functions that do",
                          printable(function_text(functions[bound]))));
}

}  // namespace weighbridge::onnx
