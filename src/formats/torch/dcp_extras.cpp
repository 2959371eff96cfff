#include "formats/torch/dcp_extras.hpp"

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weighbridge::torch {
namespace {

class DcpExtras final : public Extras {
 public:
  explicit DcpExtras(std::vector<NamedExtras> objects) : objects_(std::move(objects)) {}

  std::uint64_t count() const override {
    std::uint64_t sum = 0;
    for (const NamedExtras& object : objects_) sum += object.extras->count();
    return sum;
  }

  std::vector<ExtraItem> list(std::uint64_t most) const override {
    std::vector<ExtraItem> items;
    for (const NamedExtras& object : objects_) {
      for (ExtraItem& item : object.extras->list(most - items.size())) {
        item.path = item.path == "." ? object.name : object.name + "." + item.path;
        items.push_back(std::move(item));
      }
      if (items.size() >= most) break;
    }
    return items;
  }

  std::string to_json(const Limits& limits) const override {
    std::string json = R"({"version":1,"objects":{)";
    for (const NamedExtras& object : objects_) {
      if (json.back() != '{') json += ',';
      append_json_string(json, object.name);
      json += ':';
      json += object.extras->to_json(limits);
      if (json.size() > limits.sidecar_bytes) {
        throw Error(ErrorCode::LimitExceeded,
                    fmt::format("the sidecar would exceed its limit of {} bytes", limits.sidecar_bytes));
      }
    }
    return json + "}}";
  }

 private:
  std::vector<NamedExtras> objects_;
};

}  // namespace

std::shared_ptr<const Extras> make_dcp_extras(std::vector<NamedExtras> objects) {
  if (objects.empty()) return nullptr;
  return std::make_shared<DcpExtras>(std::move(objects));
}

}  // namespace weighbridge::torch
