#include "formats/bundle_extras.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weighbridge {
namespace {

class JoinedExtras final : public Extras {
 public:
  explicit JoinedExtras(std::vector<ExtrasPart> parts) : parts_(std::move(parts)) {}

  std::uint64_t count() const override {
    std::uint64_t sum = 0;
    for (const ExtrasPart& part : parts_) sum += part.extras->count();
    return sum;
  }

  std::vector<ExtraItem> list(std::uint64_t most) const override {
    std::vector<ExtraItem> items;
    for (const ExtrasPart& part : parts_) {
      if (items.size() >= most) break;
      for (ExtraItem& item : part.extras->list(most - items.size())) {
        item.path = part.prefix + item.path;
        items.push_back(std::move(item));
      }
    }
    return items;
  }

  std::string to_json(const Limits& limits) const override {
    std::string out = R"({"$bundle":[)";
    for (const ExtrasPart& part : parts_) {
      if (out.back() == '}') out += ',';
      out += R"({"prefix":)";
      append_json_string(out, printable(part.prefix));
      out += R"(,"content":)" + part.extras->to_json(limits) + '}';
      if (out.size() > limits.sidecar_bytes) {
        throw Error(ErrorCode::LimitExceeded,
                    fmt::format("the sidecar has more than {} bytes", limits.sidecar_bytes));
      }
    }
    return out + "]}";
  }

 private:
  std::vector<ExtrasPart> parts_;
};

}  // namespace

std::shared_ptr<const Extras> join_extras(std::vector<ExtrasPart> parts) {
  std::erase_if(parts, [](const ExtrasPart& part) { return part.extras == nullptr; });
  if (parts.empty()) return nullptr;
  if (parts.size() == 1 && parts.front().prefix.empty()) return parts.front().extras;
  return std::make_shared<JoinedExtras>(std::move(parts));
}

}  // namespace weighbridge
