#include "sandbox/lockdown.hpp"

#include <utility>

#include "sandbox/landlock.hpp"
#include "sandbox/namespaces.hpp"
#include "sandbox/process.hpp"
#include "sandbox/system_calls.hpp"

namespace weighbridge::sandbox {
namespace {

Outcome apply(Layer layer, const LockdownPlan& plan) {
  switch (layer) {
    case Layer::Descriptors:
      return close_others(plan.channel, plan.empty);
    case Layer::Environment:
      return clear_environment();
    case Layer::Limits:
      return apply_bounds(plan.bounds);
    case Layer::Namespaces:
      return enter_namespaces();
    case Layer::Root:
      return enter_empty_root();
    case Layer::Leash:
      return die_with(plan.broker);
    case Layer::Undumpable:
      return become_undumpable();
    case Layer::Capabilities:
      return drop_capabilities();
    case Layer::NoNewPrivileges:
      return refuse_new_privileges();
    case Layer::Landlock:
      return give_up_paths();
    case Layer::SystemCalls:
      return filter_system_calls(plan.channel);
  }
  return {};
}

}  // namespace

std::vector<SandboxLayer> lock_down(const LockdownPlan& plan) {
  std::vector<SandboxLayer> report;
  for (const Layer layer : kAllLayers) {
    if (!plan.layers.has(layer)) continue;
    Outcome outcome = apply(layer, plan);
    report.push_back({std::string(layer_name(layer)), outcome.held, std::move(outcome.detail)});
  }
  return report;
}

}  // namespace weighbridge::sandbox
