#include "replay/trace_report.hpp"

#include <array>
#include <functional>
#include <iomanip>
#include <ostream>
#include <sstream>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/elf_symbols.hpp"

namespace retrov {

namespace {

void add_input(Fields& fields, const InputKind& kind) {
  std::visit(
      [&fields](const auto& what) {
        using Kind = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<Kind, ConsoleBytes>) {
          fields.put("bytes", in_quotes(std::span<const u8>(what.bytes)), in_quotes(std::span<const u8>(what.bytes)));
        } else if constexpr (std::is_same_v<Kind, RtcStart>) {
          fields.number("unix_ns", what.unix_ns);
        } else if constexpr (std::is_same_v<Kind, Seed>) {
          fields.text("seed", bytes_as_hex(what.bytes));
        } else if constexpr (std::is_same_v<Kind, DebuggerWrite>) {
          const bool memory = what.space == DebuggerWrite::Space::kPhysicalMemory;
          fields.text("space", memory ? "memory" : "register");
          fields.number("hart", what.hart);
          fields.hex_number("where", what.where);
          fields.text("value", bytes_as_hex(what.bytes));
        } else if constexpr (std::is_same_v<Kind, SchedMask>) {
          fields.hex_number("harts", what.harts);
        } else {
          static_assert(std::is_same_v<Kind, SystemReset>);
        }
      },
      kind);
}

std::string event_line(const Event& event, ReportFormat format) {
  return object(format, [&](Fields& fields) {
    fields.bare("at", std::to_string(event.at.steps), std::to_string(event.at.steps));
    fields.bare("what", "\"event\"", "event");
    if (event.batch.wake.value != 0) fields.number("wake", event.batch.wake.value);
    std::string json;
    std::string human;
    for (const Input& input : event.batch.inputs) {
      const std::string text = object(format, [&](Fields& inner) {
        inner.bare("input", in_quotes(std::string_view(input_name(input.what))), input_name(input.what));
        if (input.device != kMachineItself) inner.number("device", input.device);
        add_input(inner, input.what);
      });
      json += (json.empty() ? "" : ", ") + text;
      human += (human.empty() ? "" : "; ") + text;
    }
    fields.bare("inputs", "[" + json + "]", human);
  });
}

}  // namespace

std::string describe_event(const Event& event) { return event_line(event, ReportFormat::kText); }

namespace {

/// Prints what it is told.
class DumpPrinter final : public HistoryListener {
 public:
  DumpPrinter(std::ostream& out, ReportFormat format, const DumpRange& range)
      : out_(out), format_(format), range_(range) {}

  void on_event(const Event& event) override {
    if (wanted(event.at)) out_ << event_line(event, format_) << '\n';
  }
  void on_block(Position before, const CapturedBlock& block) override {
    line(before, block.bytes != nullptr ? "block" : "hole", [&](Fields& fields) {
      fields.number("disk", block.disk);
      fields.number("index", block.index);
      if (block.bytes != nullptr) fields.text("hash", hex(hash_bytes(*block.bytes), 16));
    });
  }
  void on_mark(const HashMark& mark) override {
    line(mark.at, "mark", [&](Fields& fields) {
      fields.number("console_bytes", mark.console_bytes);
      fields.text("console_hash", hex(mark.console_hash, 16));
      const std::string hashes = object(format_, [&](Fields& inner) {
        for (const ComponentHash& component : mark.components) {
          inner.text(component.name.c_str(), hex(component.hash, 16));
        }
      });
      fields.bare("components", mark.components.empty() ? "{}" : hashes, hashes);
    });
  }
  void on_progress(Position now) override {
    line(now, "progress", [](Fields&) {});
  }
  void begin(const HistoryBegin& first) {
    line(first.at, "start", [&](Fields& fields) { fields.truth("initial_memory", first.initial_memory); });
  }
  /// Wherever it is: what follows cannot be understood without.
  void on_branch(const BranchPoint& branch) override {
    out_ << object(format_, [&](Fields& fields) {
      fields.bare("at", std::to_string(branch.at.steps), std::to_string(branch.at.steps));
      fields.bare("what", in_quotes(std::string_view("branch")), "branch");
      fields.number("number", branch.number);
      fields.text("name", branch.name);
      fields.number("parent", branch.parent);
      fields.truth("resumed", branch.resumed);
    }) << '\n';
  }
  void on_finish(Position end, const Outcome& outcome) override {
    line(end, "end", [&](Fields& fields) { add_outcome(fields, outcome); });
  }

  static void add_outcome(Fields& fields, const Outcome& outcome) {
    fields.bare("outcome", in_quotes(std::string_view(outcome_name(outcome.kind))), outcome_name(outcome.kind));
    fields.put("status", std::to_string(outcome.status), std::to_string(outcome.status));
    fields.put("why", in_quotes(outcome.why), outcome.why.empty() ? "" : in_quotes(outcome.why));
  }

 private:
  [[nodiscard]] bool wanted(Position at) const { return at >= range_.first && at < range_.last; }
  template <class Fill>
  void line(Position at, std::string_view what, Fill fill) {
    if (!wanted(at)) return;
    out_ << object(format_, [&](Fields& fields) {
      fields.bare("at", std::to_string(at.steps), std::to_string(at.steps));
      fields.bare("what", in_quotes(what), what);
      fill(fields);
    }) << '\n';
  }

  std::ostream& out_;
  ReportFormat format_;
  DumpRange range_;
};

/// Counts what it is told.
class Counter final : public HistoryListener {
 public:
  void on_event(const Event& event) override {
    ++events;
    for (const Input& input : event.batch.inputs) ++inputs[input.what.index()];
  }
  void on_block(Position, const CapturedBlock& block) override { ++(block.bytes != nullptr ? blocks : holes); }
  void on_mark(const HashMark&) override { ++marks; }
  void on_progress(Position) override {}
  void on_branch(const BranchPoint&) override {}
  void on_finish(Position, const Outcome& how) override { outcome = how; }

  u64 events = 0;
  u64 blocks = 0;
  u64 holes = 0;
  u64 marks = 0;
  std::array<u64, std::variant_size_v<InputKind>> inputs{};
  Outcome outcome;
};

template <std::size_t... I>
constexpr std::array<const char*, sizeof...(I)> input_names(std::index_sequence<I...>) {
  return {std::variant_alternative_t<I, InputKind>::kName...};
}

constexpr auto kInputNames = input_names(std::make_index_sequence<std::variant_size_v<InputKind>>{});

/// A section of `info`: a member of the JSON object, or lines with the same heading.
struct Section {
  const char* name;
  std::vector<std::string> items;  ///< Made by object().
  bool many = false;               ///< An array in JSON.
};

std::vector<std::string> one(ReportFormat format, const std::function<void(Fields&)>& fill) {
  return {object(format, fill)};
}

std::vector<Section> origin_sections(const TraceReader& trace, ReportFormat format) {
  const TraceIdentity& identity = trace.identity();
  return {{"trace", one(format,
                        [&](Fields& fields) {
                          fields.text("file", trace.name());
                          fields.number("bytes", trace.file_bytes());
                          fields.text("id", bytes_as_hex(identity.id));
                        })},
          {"made_by", one(format, [&](Fields& fields) {
             fields.text("release", identity.release);
             fields.text("commit", identity.commit);
             fields.number("format", identity.container_version);
             fields.number("machine_version", identity.machine_version);
           })}};
}

std::vector<Section> machine_sections(const BoardLayout& layout, ReportFormat format) {
  const BoardConfig& board = layout.board;
  const std::vector<std::string> machine = one(format, [&](Fields& fields) {
    fields.number("harts", board.machine.harts);
    fields.number("ram_bytes", board.machine.ram_bytes);
    fields.text("isa", isa_string(board.machine.extensions, WithModes::kYes));
    fields.number("turn_steps", board.machine.turn_steps);
    fields.number("steps_per_tick", board.machine.steps_per_tick);
    fields.number("virtio_version", board.virtio_legacy ? 1 : 2);
    fields.put("bootargs", in_quotes(board.bootargs), in_quotes(board.bootargs));
  });
  Section memory{"memory", {}, true};
  const std::vector<const Blob*> blobs = initial_blobs(board);
  for (std::size_t i = 0; i < layout.content_of_blob.size(); ++i) {
    const BlobContent& content = layout.contents[layout.content_of_blob[i]];
    memory.items.push_back(object(format, [&](Fields& fields) {
      fields.hex_number("at", blobs[i]->at.value);
      fields.number("bytes", content.size_bytes);
      fields.text("hash", hex(content.hash, 16));
    }));
  }
  Section disks{"disks", {}, true};
  for (const DiskConfig& disk : board.disks) {
    disks.items.push_back(object(format, [&](Fields& fields) {
      fields.number("slot", disk.slot);
      fields.number("bytes", disk.size_bytes);
      fields.truth("read_only", disk.read_only);
      fields.put("id", in_quotes(disk.id), in_quotes(disk.id));
    }));
  }
  Section flash{"flash", {}, true};
  for (const FlashConfig& unit : board.flash) {
    flash.items.push_back(object(format, [&](Fields& fields) {
      fields.number("unit", unit.unit);
      fields.truth("read_only", unit.read_only);
      fields.put("id", in_quotes(unit.id), in_quotes(unit.id));
    }));
  }
  return {{"machine", machine}, memory, disks, flash};
}

std::vector<Section> content_sections(const TraceReader& trace, ReportFormat format) {
  Counter counter;
  trace.visit(counter);
  return {{"recorded", one(format,
                           [&](Fields& fields) {
                             fields.number("events", counter.events);
                             for (std::size_t i = 0; i < kInputNames.size(); ++i) {
                               fields.number(kInputNames[i], counter.inputs[i]);
                             }
                             fields.number("blocks", counter.blocks);
                             fields.number("marks", counter.marks);
                             fields.number("holes", counter.holes);
                             fields.number("key_frames", trace.find_key_frames().size());
                           })},
          {"end", one(format, [&](Fields& fields) {
             fields.number("at", trace.end().steps);
             fields.truth("complete", trace.complete());
             fields.number("torn_bytes", trace.torn_bytes());
             DumpPrinter::add_outcome(fields, counter.outcome);
           })}};
}

/// One that begins at power-on has nothing to tell of.
Section begin_section(const TraceReader& trace, ReportFormat format) {
  Section begin{"begin", {}};
  if (trace.begin().state == nullptr) return begin;
  begin.items = one(format, [&](Fields& fields) {
    fields.number("at", trace.begin().at.steps);
    fields.truth("initial_memory", trace.begin().initial_memory);
  });
  return begin;
}

/// A trace with one branch has none to tell of.
Section branch_section(const TraceReader& trace, ReportFormat format) {
  Section branches{"branches", {}, true};
  if (trace.branches().size() == 1) return branches;
  for (u64 number = 0; number < trace.branches().size(); ++number) {
    const TracedBranch& branch = trace.branches()[number];
    branches.items.push_back(object(format, [&](Fields& fields) {
      fields.text("name", branch.name);
      if (number != 0) {
        fields.text("parent", trace.branches()[branch.parent].name);
        fields.number("from", branch.from.steps);
      }
      fields.number("to", branch.end.steps);
      fields.truth("last", number == trace.last_branch());
      DumpPrinter::add_outcome(fields, branch.outcome);
    }));
  }
  return branches;
}

Section symbol_section(const TraceReader& trace, ReportFormat format) {
  Section symbols{"symbols", {}, true};
  for (const SymbolFile& file : trace.read_symbols()) {
    symbols.items.push_back(object(format, [&](Fields& fields) {
      fields.text("name", file.name);
      fields.number("bytes", file.bytes.size());
      fields.text("build_id", bytes_as_hex(build_id_of(file.bytes)));
    }));
  }
  return symbols;
}

Section size_section(const TraceReader& trace, ReportFormat format) {
  Section sizes{"sizes", {}, true};
  for (std::size_t i = 0; i < kFrameKinds; ++i) {
    const FrameTotals& totals = trace.totals()[i];
    if (totals.frames == 0) continue;
    sizes.items.push_back(object(format, [&](Fields& fields) {
      const char* name = frame_kind_name(static_cast<FrameKind>(i));
      fields.bare("kind", in_quotes(std::string_view(name)), name);
      fields.number("frames", totals.frames);
      fields.number("stored_bytes", totals.stored_bytes);
      fields.number("raw_bytes", totals.raw_bytes);
    }));
  }
  return sizes;
}

void print(const std::vector<Section>& sections, std::ostream& out, ReportFormat format) {
  if (format == ReportFormat::kText) {
    for (const Section& section : sections) {
      for (const std::string& item : section.items) {
        out << std::left << std::setw(10) << section.name << item << '\n';
      }
    }
    return;
  }
  out << '{';
  const char* separator = "\n  ";
  for (const Section& section : sections) {
    if (section.items.empty() && !section.many) continue;
    out << std::exchange(separator, ",\n  ") << in_quotes(std::string_view(section.name)) << ": "
        << (section.many ? "[" : "");
    for (std::size_t i = 0; i < section.items.size(); ++i) out << (i == 0 ? "" : ",\n    ") << section.items[i];
    out << (section.many ? "]" : "");
  }
  out << "\n}\n";
}

}  // namespace

void report_info(const TraceReader& trace, std::ostream& out, ReportFormat format) {
  std::vector<Section> sections;
  const auto add = [&sections](const std::vector<Section>& more) {
    sections.insert(sections.end(), more.begin(), more.end());
  };
  add(origin_sections(trace, format));
  add(machine_sections(trace.layout(), format));
  add({begin_section(trace, format)});
  add(content_sections(trace, format));
  add({branch_section(trace, format)});
  add({symbol_section(trace, format)});
  add({size_section(trace, format)});
  print(sections, out, format);
  if (format == ReportFormat::kText && !trace.note().empty()) out << trace.note() << '\n';
}

void report_sizes(const TraceReader& trace, std::ostream& out, ReportFormat format) {
  print({size_section(trace, format)}, out, format);
}

void report_dump(const TraceReader& trace, std::ostream& out, ReportFormat format, const DumpRange& range) {
  DumpPrinter printer(out, format, range);
  if (trace.begin().state != nullptr) printer.begin(trace.begin());
  trace.visit(printer);
}

}  // namespace retrov
