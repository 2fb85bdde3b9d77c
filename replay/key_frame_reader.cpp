#include "replay/key_frame_reader.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "core/check.hpp"

namespace retrov {

namespace {

[[noreturn]] void refuse(const std::string& what) { throw Error(Exit::kBadTrace, what); }

using Runs = std::vector<PageNumbers::Run>;

/// The pages that runs say, one after the other.
class RunCursor {
 public:
  explicit RunCursor(const Runs& runs) : runs_(runs) { pass_empty(); }
  [[nodiscard]] bool at_end() const { return run_ == runs_.size(); }
  /// Beyond all others at the end.
  [[nodiscard]] u64 index() const { return at_end() ? ~u64{0} : runs_[run_].index + done_; }
  [[nodiscard]] u32 number() const { return runs_[run_].number + static_cast<u32>(done_); }
  void advance() {
    if (++done_ < runs_[run_].count) return;
    done_ = 0;
    ++run_;
    pass_empty();
  }

 private:
  /// A trace may hold runs of no pages.
  void pass_empty() {
    while (!at_end() && runs_[run_].count == 0) ++run_;
  }

  const Runs& runs_;
  std::size_t run_ = 0;
  u64 done_ = 0;
};

struct NumberedPage {
  u64 index = 0;
  u32 number = 0;
};

/// Where `now` says another number than `before`, ascending.
std::vector<NumberedPage> changes(const Runs& before, const Runs& now) {
  std::vector<NumberedPage> result;
  RunCursor old(before);
  RunCursor next(now);
  while (!old.at_end() || !next.at_end()) {
    const u64 index = std::min(old.index(), next.index());
    const u32 old_number = old.index() == index ? old.number() : 0;
    const u32 number = next.index() == index ? next.number() : 0;
    if (number != old_number) result.push_back({index, number});
    if (old.index() == index) old.advance();
    if (next.index() == index) next.advance();
  }
  return result;
}

/// The numbered pages of a trace. Those that somebody holds are not read again.
class StoredPages {
 public:
  StoredPages(std::span<const FrameInfo> frames, FrameLoader load) : load_(std::move(load)) {
    for (const FrameInfo& frame : frames) {
      if (frame.kind != FrameKind::kPages) continue;
      if (frame.raw_bytes % kPageBytes != 0) refuse("a frame of pages that holds a part of one");
      frames_.push_back({frame, count_});
      count_ += frame.raw_bytes / kPageBytes;
    }
  }
  [[nodiscard]] u64 count() const { return count_; }
  [[nodiscard]] std::vector<u8> load_frame(const FrameInfo& frame) const { return load_(frame); }

  /// Gives `kept` the trees that the runs say. Most of a tree is as in the key frame that was asked for before, and as
  /// long as somebody holds that one it is shared.
  void plant(std::vector<Runs> trees, const PageTree& initial_ram, const std::shared_ptr<KeptSnapshot>& kept) {
    const std::lock_guard lock(mutex_);
    const std::shared_ptr<const KeptSnapshot> last = last_.lock();
    const bool helps = last != nullptr && last_initial_ == initial_ram.hash() && last_trees_.size() == trees.size();
    for (std::size_t i = 0; i < trees.size(); ++i) {
      PageTree tree = helps ? last->machine.trees[i] : PageTree{};
      put(changes(helps ? last_trees_[i] : Runs{}, trees[i]), initial_ram, tree);
      kept->machine.trees.push_back(std::move(tree));
    }
    last_ = kept;
    last_trees_ = std::move(trees);
    last_initial_ = initial_ram.hash();
  }

 private:
  struct Numbered {
    FrameInfo info;
    u64 first = 0;
  };
  [[nodiscard]] const Numbered& frame_of(u64 number) const {
    const auto behind = std::upper_bound(frames_.begin(), frames_.end(), number,
                                         [](u64 wanted, const Numbered& frame) { return wanted < frame.first; });
    return *std::prev(behind);
  }

  void put(const std::vector<NumberedPage>& pages, const PageTree& initial_ram, PageTree& tree) {
    const u64 initial_count = initial_ram.page_count();
    std::vector<PagePointer> initial;
    std::vector<u32> numbers;
    for (const NumberedPage& page : pages) {
      if (page.number > initial_count) {
        numbers.push_back(static_cast<u32>(page.number - initial_count - 1));
      } else if (page.number != 0 && initial.empty()) {
        initial_ram.for_each([&](u64 index, const Page&) { initial.push_back(initial_ram.share(index)); });
      }
    }
    const std::map<u32, PagePointer> stored = get(std::move(numbers));
    for (const auto& [index, number] : pages) {
      PagePointer page;
      if (number > initial_count) {
        page = stored.at(static_cast<u32>(number - initial_count - 1));
      } else if (number != 0) {
        page = initial[number - 1];
      }
      tree.put(index, std::move(page));
    }
  }

  /// Numbers counted from 0. A page of zeros is null.
  std::map<u32, PagePointer> get(std::vector<u32> numbers) {
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    std::map<u32, PagePointer> result;
    std::vector<u8> bytes;
    const Numbered* loaded = nullptr;
    for (const u32 number : numbers) {
      std::weak_ptr<const Page>& known = known_[number];
      PagePointer page = known.lock();
      if (page == nullptr) {
        const Numbered& frame = frame_of(number);
        if (&frame != loaded) bytes = load_(frame.info);
        loaded = &frame;
        page = PageTree::make_page(std::span<const u8, kPageBytes>(&bytes[(number - frame.first) * kPageBytes],
                                                                   kPageBytes));
        known = page;
      }
      result.emplace_hint(result.end(), number, std::move(page));
    }
    return result;
  }

  const FrameLoader load_;
  std::vector<Numbered> frames_;
  u64 count_ = 0;
  std::mutex mutex_;
  std::map<u32, std::weak_ptr<const Page>> known_;
  std::weak_ptr<const KeptSnapshot> last_;  ///< Whose trees have these runs, over that initial memory:
  std::vector<Runs> last_trees_;
  u64 last_initial_ = 0;
};

class FileKeyFrame final : public StoredKeyFrame {
 public:
  FileKeyFrame(std::shared_ptr<StoredPages> pages, std::vector<FrameInfo> pieces)
      : pages_(std::move(pages)), pieces_(std::move(pieces)) {}

  [[nodiscard]] KeyFrame load(const PageTree& initial_ram) const override {
    KeyFrameBody body = decode_key_frame(read_pieces(), initial_ram.page_count() + pages_->count());
    if (body.foreign) refuse("another form of the state, which this build cannot read");
    auto kept = std::make_shared<KeptSnapshot>(*body.frame.state);
    pages_->plant(std::move(body.trees), initial_ram, kept);
    body.frame.state = std::move(kept);
    body.frame.initial_ram = initial_ram;
    return std::move(body.frame);
  }

 private:
  [[nodiscard]] std::vector<u8> read_pieces() const {
    std::vector<u8> body;
    for (const FrameInfo& piece : pieces_) {
      const std::vector<u8> payload = pages_->load_frame(piece);
      body.insert(body.end(), payload.begin() + 1, payload.end());
    }
    return body;
  }

  const std::shared_ptr<StoredPages> pages_;
  const std::vector<FrameInfo> pieces_;
};

}  // namespace

std::vector<FoundKeyFrame> find_key_frames(std::span<const FrameInfo> frames, FrameLoader load) {
  std::vector<FoundKeyFrame> found;
  const auto pages = std::make_shared<StoredPages>(frames, load);
  std::vector<FrameInfo> pieces;
  KeyFrameHead head;
  u64 size_bytes = 0;
  for (const FrameInfo& frame : frames) {
    if (frame.kind != FrameKind::kKeyFrame) continue;
    const std::vector<u8> payload = load(frame);
    if (payload.empty() || payload.front() > 1) refuse("a piece of a key frame that is none");
    if (pieces.empty()) {
      head = decode_key_frame_head(std::span(payload).subspan(1));
      size_bytes = 0;
    }
    pieces.push_back(frame);
    size_bytes += payload.size() - 1;
    if (size_bytes > kMaxKeyFrameBytes) refuse("key frame that is too long");
    if (payload.front() == 0) continue;
    if (found.size() >= kMaxKeyFrames) refuse("too many key frames");
    const FrameInfo first = pieces.front();
    found.push_back({head.branch, {head.at, std::make_shared<FileKeyFrame>(pages, std::exchange(pieces, {}))}, first});
  }
  return found;
}

}  // namespace retrov
