#include "cli/summary.hpp"

namespace weighbridge::cli {

Json totals_json(const Totals& totals) {
  Json dtypes = Json::object();
  for (const DTypeTotal& total : totals.dtypes) {
    dtypes[std::string(dtype_name(total.dtype))] = {
        {"tensors", total.tensors}, {"parameters", total.parameters}, {"bytes", total.bytes}};
  }
  return {{"tensors", totals.tensors},
          {"parameters", totals.parameters},
          {"bytes", totals.bytes},
          {"dtypes", std::move(dtypes)}};
}

Json candidates_json(const Checkpoint& checkpoint) {
  Json list = Json::array();
  for (const RootCandidate& candidate : checkpoint.candidates) {
    list.push_back({{"path", candidate.path}, {"tensors", candidate.tensors}});
  }
  return list;
}

Json tied_json(const std::vector<TiedName>& tied) {
  Json list = Json::array();
  for (const TiedName& name : tied) list.push_back({{"name", name.name}, {"kept", name.kept}});
  return list;
}

Json extras_json(const Checkpoint& checkpoint, std::uint64_t most) {
  Json items = Json::array();
  if (checkpoint.extras) {
    for (const ExtraItem& item : checkpoint.extras->list(most)) {
      items.push_back({{"path", item.path}, {"summary", item.summary}});
    }
  }
  return {{"count", checkpoint.extras ? checkpoint.extras->count() : 0}, {"items", std::move(items)}};
}

}  // namespace weighbridge::cli
