#include <weighbridge/edit.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "io/support.hpp"
#include "support/killed_at.hpp"

namespace weighbridge {
namespace {

using namespace weighbridge::test;

Header header_at(const std::filesystem::path& path) { return read_header(*open_file(path)); }

/// A file with so many tensors, whose names make its header long.
class Scene {
 public:
  explicit Scene(std::size_t tensors, const std::optional<Metadata>& metadata = std::nullopt,
                 const HeaderStyle& style = {})
      : content_(pattern(1000)) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < tensors; ++i) names.push_back("layer." + std::to_string(i));
    const Shape shape = {10, 25};
    std::vector<TensorView> views;
    for (const std::string& name : names) {
      views.push_back({name, DType::F32, shape, std::as_bytes(std::span(content_))});
    }
    save_tensors(views, path(), metadata, style);
    before_ = get_file(path());
  }

  [[nodiscard]] std::filesystem::path path() const { return folder_ / "f"; }
  [[nodiscard]] const TempFolder& folder() const { return folder_; }
  [[nodiscard]] const std::string& before() const { return before_; }
  void restore() const { put_file(path(), before_); }

  [[nodiscard]] std::string data() const {
    const std::string file = get_file(path());
    return file.substr(header_at(path()).data_begin());
  }
  [[nodiscard]] Metadata metadata() const { return header_at(path()).metadata(); }

 private:
  TempFolder folder_;
  std::string content_;
  std::string before_;
};

ino_t inode_of(const std::filesystem::path& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_ino;
}

TEST(EditMetadata, ChangesWhatFitsInPlace) {
  const Scene scene(100, Metadata{{"format", "np"}, {"k", "v"}});
  const ino_t inode = inode_of(scene.path());
  const std::string data = scene.data();
  for (const Durability durability : {Durability::None, Durability::Full}) {
    scene.restore();
    const EditReport report =
        edit_metadata(scene.path(), {.set = {{"format", "pt"}}}, {.write = {.durability = durability}});
    EXPECT_TRUE(report.changed);
    EXPECT_TRUE(report.in_place);
    EXPECT_EQ(report.bytes_written, 2U);
  }
  EXPECT_EQ(inode_of(scene.path()), inode);
  EXPECT_EQ(scene.metadata(), (Metadata{{"format", "pt"}, {"k", "v"}}));
  EXPECT_EQ(scene.data(), data);
  EXPECT_EQ(get_file(scene.path()).size(), scene.before().size());
}

TEST(EditMetadata, UnsetsClearsAndSets) {
  const Scene scene(1, Metadata{{"a", "1"}, {"b", "2"}, {"c", "3"}});
  edit_metadata(scene.path(), {.unset = {"b", "absent"}, .set = {{"d", "4"}}});
  EXPECT_EQ(scene.metadata(), (Metadata{{"a", "1"}, {"c", "3"}, {"d", "4"}}));
  edit_metadata(scene.path(), {.clear = true, .set = {{"e", "5"}}});
  EXPECT_EQ(scene.metadata(), (Metadata{{"e", "5"}}));
  edit_metadata(scene.path(), {.clear = true});
  EXPECT_EQ(scene.metadata(), Metadata());
}

TEST(EditMetadata, DoesNothingWhenNothingChanges) {
  const Scene scene(1, Metadata{{"a", "1"}});
  const EditReport report = edit_metadata(scene.path(), {.unset = {"b"}, .set = {{"a", "1"}}});
  EXPECT_FALSE(report.changed);
  EXPECT_EQ(get_file(scene.path()), scene.before());
}

TEST(EditMetadata, RewritesWhatDoesNotFitAndKeepsTheData) {
  const Scene scene(100, Metadata{{"k", "v"}}, {.alignment = 256});
  const ino_t inode = inode_of(scene.path());
  const std::string data = scene.data();
  ASSERT_EQ(::chmod(scene.path().c_str(), 0640), 0);
  const EditReport report = edit_metadata(scene.path(), {.set = {{"more", std::string(500, 'x')}}});
  EXPECT_TRUE(report.changed);
  EXPECT_FALSE(report.in_place);
  EXPECT_EQ(report.bytes_written, get_file(scene.path()).size());
  EXPECT_NE(inode_of(scene.path()), inode);
  EXPECT_EQ(scene.data(), data);
  EXPECT_EQ(header_at(scene.path()).data_begin() % 256, 0U);
  struct stat status{};
  ASSERT_EQ(::stat(scene.path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0640U);
  EXPECT_EQ(scene.folder().entries(), 1U);
}

TEST(EditMetadata, SlackOfARewriteMakesTheNextEditOneInPlace) {
  const Scene scene(100);
  EXPECT_FALSE(edit_metadata(scene.path(), {.set = {{"k", "v"}}}, {.slack = 300}).in_place);
  const ino_t inode = inode_of(scene.path());
  const std::string data = scene.data();
  EXPECT_TRUE(edit_metadata(scene.path(), {.set = {{"notes", std::string(200, 'x')}}}).in_place);
  EXPECT_TRUE(edit_metadata(scene.path(), {.unset = {"notes"}},
                            {.rewrite = false, .write = {.durability = Durability::Data}})
                  .in_place);
  EXPECT_EQ(inode_of(scene.path()), inode);
  EXPECT_EQ(scene.data(), data);
}

TEST(EditMetadata, SmallHeadersUseTheirPadding) {
  const Scene scene(2, std::nullopt, {.slack = 200});
  const std::string data = scene.data();
  EXPECT_TRUE(edit_metadata(scene.path(), {.set = {{"k", "v"}}}, {.rewrite = false}).in_place);
  EXPECT_EQ(scene.metadata(), (Metadata{{"k", "v"}}));
  EXPECT_EQ(scene.data(), data);
}

TEST(EditMetadata, WhatOneSectorHoldsNotIsRewrittenWhenItMustSurviveALossOfPower) {
  const Metadata metadata = {{"a", std::string(600, 'a')}, {"b", "0"}};
  const Scene scene(100, metadata);
  const MetadataEdit both = {.set = {{"a", "A" + std::string(599, 'a')}, {"b", "1"}}};
  EXPECT_TRUE(edit_metadata(scene.path(), both).in_place);
  scene.restore();
  EXPECT_FALSE(edit_metadata(scene.path(), both, {.write = {.durability = Durability::Data}}).in_place);
}

TEST(EditMetadata, RefusesARewriteThatIsNotAllowed) {
  const Scene scene(100);
  expect_error(ErrorCode::InvalidArgument, "cannot be changed in place",
               [&] { edit_metadata(scene.path(), {.set = {{"k", "v"}}}, {.rewrite = false}); });
  EXPECT_EQ(get_file(scene.path()), scene.before());
}

TEST(EditMetadata, RefusesFilesThatAreNotSound) {
  const TempFolder folder;
  put_file(folder / "short", "abc");
  expect_error(ErrorCode::HeaderTooSmall, "",
               [&] { edit_metadata(folder / "short", {.set = {{"k", "v"}}}); });
  EXPECT_EQ(get_file(folder / "short"), "abc");
  const auto missing = error_of([&] { edit_metadata(folder / "missing", {}); });
  ASSERT_TRUE(missing.has_value());
  EXPECT_EQ(missing->system_error(), ENOENT);
}

TEST(EditMetadata, FollowsALink) {
  const Scene scene(100);
  std::filesystem::create_symlink(scene.path(), scene.folder() / "link");
  edit_metadata(scene.folder() / "link", {.set = {{"k", std::string(100, 'v')}}});
  EXPECT_TRUE(std::filesystem::is_symlink(scene.folder() / "link"));
  EXPECT_EQ(scene.metadata().size(), 1U);
}

/// The edit, ended at every one of its system calls, must leave the old file or the new one.
void expect_old_or_new_at_every_call(const Scene& scene, const HeaderEdit& edit) {
  edit_header(scene.path(), edit, {.write = {.threads = 1}});
  const std::string after = get_file(scene.path());
  std::size_t left_old = 0;
  std::optional<bool> killed = true;
  for (int stop = 1; killed == true && stop < 2000; ++stop) {
    scene.restore();
    killed = killed_at(stop, [&] { edit_header(scene.path(), edit, {.write = {.threads = 1}}); });
    if (!killed) GTEST_SKIP() << "processes cannot be watched here";
    const std::string found = get_file(scene.path());
    EXPECT_TRUE(found == scene.before() || found == after) << "killed at system call " << stop;
    left_old += found == scene.before() ? 1U : 0U;
  }
  EXPECT_EQ(killed, false);
  EXPECT_GT(left_old, 4U);
}

TEST(EditMetadata, KilledAnywhereAnEditInPlaceLeavesTheOldFileOrTheNewOne) {
  expect_old_or_new_at_every_call(Scene(100, Metadata{{"k", "0123456789"}}),
                                  {.metadata = {.set = {{"k", "abcdefghij"}}}});
}

TEST(EditMetadata, KilledAnywhereARewriteLeavesTheOldFileOrTheNewOne) {
  expect_old_or_new_at_every_call(Scene(100), {.metadata = {.set = {{"k", std::string(100, 'v')}}}});
}

std::vector<std::string> names_at(const std::filesystem::path& path) {
  const Header header = header_at(path);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < header.size(); ++i) names.emplace_back(header.name(i));
  return names;
}

TEST(RenameTensors, ChangesWhatFitsInPlace) {
  const Scene scene(30, std::nullopt, {.slack = 100});
  const ino_t inode = inode_of(scene.path());
  const std::string data = scene.data();
  const std::vector<std::string> before = names_at(scene.path());
  for (const Durability durability : {Durability::None, Durability::Full}) {
    scene.restore();
    const EditReport report = edit_header(
        scene.path(), {.rename = {{before[0], before[1]}, {before[1], before[0]}, {before[29], "z"}}},
        {.rewrite = false});
    EXPECT_TRUE(report.in_place);
    EXPECT_LT(report.bytes_written, 4096U);
    EXPECT_EQ(names_at(scene.path())[0], before[1]);
    EXPECT_EQ(names_at(scene.path())[1], before[0]);
    EXPECT_EQ(names_at(scene.path())[29], "z");
    const EditReport one = edit_header(scene.path(), {.rename = {{"z", "a longer name"}}},
                                       {.rewrite = false, .write = {.durability = durability}});
    EXPECT_LE(one.bytes_written, 512U);
    EXPECT_TRUE(header_at(scene.path()).find("a longer name"));
  }
  EXPECT_EQ(inode_of(scene.path()), inode);
  EXPECT_EQ(scene.data(), data);
  EXPECT_EQ(get_file(scene.path()).size(), scene.before().size());
}

TEST(RenameTensors, RewritesWhatDoesNotFitAndKeepsSlackForTheNext) {
  const Scene scene(100, Metadata{{"k", "v"}});
  const std::string data = scene.data();
  const std::string name(500, 'x');
  const HeaderEdit edit = {.metadata = {.set = {{"more", "text"}}}, .rename = {{"layer.7", name}}};
  const EditReport report = edit_header(scene.path(), edit, {.slack = 300});
  EXPECT_FALSE(report.in_place);
  EXPECT_EQ(report.why, "the header has no room for what is new");
  EXPECT_TRUE(header_at(scene.path()).find(name));
  EXPECT_EQ(scene.metadata(), (Metadata{{"k", "v"}, {"more", "text"}}));
  EXPECT_EQ(scene.data(), data);
  EXPECT_EQ(scene.folder().entries(), 1U);
  const EditReport next = edit_metadata(scene.path(), {.set = {{"note", std::string(200, 'n')}}});
  EXPECT_TRUE(next.in_place);
  EXPECT_EQ(next.why, "all that changes lies in one page of the file");
}

TEST(RenameTensors, RewritesWhatNoSingleWriteCanChange) {
  const Scene scene(300);
  const EditReport report =
      edit_header(scene.path(), {.rename = {{"layer.0", "LAYER.0"}, {"layer.299", "LAYER.299"}}});
  EXPECT_FALSE(report.in_place);
  EXPECT_EQ(report.why, "no single write could change the header");
  EXPECT_TRUE(header_at(scene.path()).find("LAYER.0"));
  EXPECT_TRUE(header_at(scene.path()).find("LAYER.299"));
}

TEST(RenameTensors, DoesNothingForTheSameName) {
  const Scene scene(2);
  EXPECT_FALSE(edit_header(scene.path(), {.rename = {{"layer.0", "layer.0"}}}).changed);
  EXPECT_EQ(get_file(scene.path()), scene.before());
}

TEST(RenameTensors, LeavesTheFileAloneWhenANameIsRefused) {
  const Scene scene(3);
  const auto expect = [&](ErrorCode code, const HeaderEdit& edit) {
    expect_error(code, "", [&] { edit_header(scene.path(), edit); });
    EXPECT_EQ(get_file(scene.path()), scene.before());
  };
  expect(ErrorCode::TensorNotFound, {.rename = {{"layer.3", "x"}}});
  expect(ErrorCode::NameCollision, {.rename = {{"layer.0", "layer.1"}}});
  expect(ErrorCode::ReservedName, {.rename = {{"layer.0", "__metadata__"}}});
  expect(ErrorCode::InvalidHeader, {.rename = {{"layer.0", "\xFF"}}});
  expect(ErrorCode::InvalidArgument, {.rename = {{"layer.0", "x"}, {"layer.0", "y"}}});
}

TEST(RenameTensors, KilledAnywhereARenameInPlaceLeavesTheOldFileOrTheNewOne) {
  expect_old_or_new_at_every_call(Scene(100), {.rename = {{"layer.1", "layer.23"}, {"layer.23", "layer.1"}}});
}

TEST(RenameTensors, KilledAnywhereARewriteLeavesTheOldFileOrTheNewOne) {
  expect_old_or_new_at_every_call(Scene(100), {.rename = {{"layer.7", std::string(100, 'x')}}});
}

TEST(ExecuteEdit, RefusesAPlanForAnotherHeaderAndPlansThatAreNone) {
  const Scene scene(3);
  const HeaderEdit edit = {.rename = {{"layer.0", "other.0"}}};
  const EditPlan plan = plan_edit(*open_file(scene.path()), edit);
  const auto expect_refusal = [&](const EditPlan& wrong) {
    expect_error(ErrorCode::InvalidArgument, "planned for", [&] { execute_edit(scene.path(), wrong); });
  };
  EditPlan wrong = plan;
  wrong.room_at = plan.after.size() + 1;
  expect_refusal(wrong);
  wrong = plan;
  wrong.after.pop_back();
  expect_refusal(wrong);
  expect_refusal({});
  EXPECT_EQ(get_file(scene.path()), scene.before());
  edit_metadata(scene.path(), {.set = {{"k", "v"}}});
  expect_refusal(plan);
  EXPECT_EQ(scene.metadata(), (Metadata{{"k", "v"}}));
}

/// Whether files in the folder can be inserted into at all.
bool can_insert(const Scene& scene) {
  const bool inserted =
      edit_metadata(scene.path(), {.set = {{"k", std::string(100, 'v')}}}, {.insert = true}).in_place;
  scene.restore();
  return inserted;
}

TEST(EditMetadataInserting, KeepsTheFileAndItsData) {
  const Scene scene(100, Metadata{{"k", "v"}});
  if (!can_insert(scene)) GTEST_SKIP() << "this file system inserts nothing";
  const ino_t inode = inode_of(scene.path());
  const std::string data = scene.data();
  for (const Durability durability : {Durability::None, Durability::Full}) {
    scene.restore();
    const EditReport report =
        edit_metadata(scene.path(), {.set = {{"more", std::string(5000, 'x')}}},
                      {.slack = 100, .insert = true, .write = {.durability = durability}});
    EXPECT_TRUE(report.in_place);
    EXPECT_EQ(report.bytes_inserted, 8192U);
    EXPECT_EQ(inode_of(scene.path()), inode);
    EXPECT_EQ(scene.metadata().at("more"), std::string(5000, 'x'));
    EXPECT_EQ(scene.data(), data);
    EXPECT_EQ(scene.folder().entries(), 1U);
  }
  EXPECT_TRUE(edit_metadata(scene.path(), {.set = {{"z", "fits the room"}}}, {.rewrite = false}).in_place);
}

TEST(EditMetadataInserting, LeavesFilesAloneThatOthersMaySee) {
  const Scene scene(100);
  const MetadataEdit edit = {.set = {{"k", std::string(100, 'v')}}};
  const EditOptions only_insert = {.insert = true, .rewrite = false};
  {
    const SourcePtr reader = open_file(scene.path(), ReadMode::Mapped);
    expect_error(ErrorCode::InvalidArgument, "cannot be changed in place",
                 [&] { edit_metadata(scene.path(), edit, only_insert); });
  }
  std::filesystem::create_hard_link(scene.path(), scene.folder() / "other name");
  expect_error(ErrorCode::InvalidArgument, "cannot be changed in place",
               [&] { edit_metadata(scene.path(), edit, only_insert); });
  EXPECT_EQ(get_file(scene.path()), scene.before());
  EXPECT_FALSE(edit_metadata(scene.path(), edit, {.insert = true}).in_place);
  EXPECT_EQ(get_file(scene.folder() / "other name"), scene.before());
}

TEST(EditMetadataInserting, KilledAnywhereLeavesAFileThatTheNextEditFinishes) {
  const Scene scene(100);
  if (!can_insert(scene)) GTEST_SKIP() << "this file system inserts nothing";
  const MetadataEdit edit = {.set = {{"k", std::string(100, 'v')}}};
  const auto run = [&] { edit_metadata(scene.path(), edit, {.insert = true, .write = {.threads = 1}}); };
  run();
  const std::string after = get_file(scene.path());
  std::size_t unfinished = 0;
  std::optional<bool> killed = true;
  for (int stop = 1; killed == true && stop < 2000; ++stop) {
    scene.restore();
    killed = killed_at(stop, run);
    if (!killed) GTEST_SKIP() << "processes cannot be watched here";
    const std::string found = get_file(scene.path());
    const bool is_whole = found == scene.before() || found == after;
    EXPECT_TRUE(is_whole || found.starts_with(std::string(8, '\0'))) << "killed at system call " << stop;
    finish_edit(scene.path());
    EXPECT_EQ(get_file(scene.path()), is_whole ? found : after) << "killed at system call " << stop;
    EXPECT_EQ(std::filesystem::exists(scene.folder() / ".weighbridge-f.edit"), false);
    unfinished += is_whole ? 0U : 1U;
  }
  EXPECT_EQ(killed, false);
  EXPECT_GE(unfinished, 2U);
}

TEST(EditMetadataInserting, IgnoresAJournalOfAnotherFile) {
  const Scene scene(100);
  put_file(scene.folder() / ".weighbridge-f.edit", "wb-edit\n" + std::string(16, 'x') + "something else");
  edit_metadata(scene.path(), {});
  EXPECT_EQ(get_file(scene.path()), scene.before());
  EXPECT_EQ(scene.folder().entries(), 1U);
}

}  // namespace
}  // namespace weighbridge
