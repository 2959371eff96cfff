#include "scan/benign.hpp"

#include <gtest/gtest.h>

namespace weighbridge::scanning {
namespace {

TEST(ScanBenign, ListedNamesMatchExactly) {
  EXPECT_TRUE(is_benign("argparse", "Namespace"));
  EXPECT_TRUE(is_benign("torch.nn.functional", "silu"));
  EXPECT_FALSE(is_benign("torch.nn.functional", "silu "));
  EXPECT_FALSE(is_benign("torch.nn.functional", "silu gelu"));
  EXPECT_FALSE(is_benign("torch.nn.functional", "sil"));
  EXPECT_FALSE(is_benign("torch.nn.functional", ""));
  EXPECT_FALSE(is_benign("argparse", "FileType"));
}

TEST(ScanBenign, PackagesCountForTheirClasses) {
  EXPECT_TRUE(is_benign("torch.nn.modules.linear", "Linear"));
  EXPECT_TRUE(is_benign("torch.optim.lr_scheduler", "_LRScheduler"));
  EXPECT_TRUE(is_benign("sklearn.tree._tree", "Tree"));
  EXPECT_TRUE(is_benign("sklearn._loss._loss", "__pyx_unpickle_CyHalfSquaredError"));
  EXPECT_TRUE(is_benign("__torch__.vad.model", "VADRNNJIT"));
  EXPECT_FALSE(is_benign("torch.nn.modulesque", "Linear"));
  EXPECT_FALSE(is_benign("sklearn.utils", "os"));
  EXPECT_FALSE(is_benign("torch.nn.modules.module", "_addindent"));
  EXPECT_FALSE(is_benign("torch.optim.optimizer", "Optimizer.load_state_dict"));
}

// CVE-2025-10157: a prefix never lets through what a dangerous module holds.
TEST(ScanBenign, DangerGoesBeforeEveryPackage) {
  EXPECT_FALSE(is_benign("sklearn.preprocessing._function_transformer", "FunctionTransformer.func"));
  EXPECT_FALSE(is_benign("sklearn.datasets._base", "RemoteFileMetadata"));
  EXPECT_FALSE(is_benign("torch.nn.modules.linear", "Linear.__globals__"));
  EXPECT_FALSE(is_benign("os", "PathLike"));
}

}  // namespace
}  // namespace weighbridge::scanning
