// The words that say how stops, steps and addresses are meant: without an argument each says its setting.
#include <algorithm>
#include <array>
#include <ostream>

#include "core/check.hpp"
#include "core/csr.hpp"
#include "replay/commands_rows.hpp"

namespace retrov {

namespace command_rows {

namespace {

void say(std::ostream& out, std::string_view word, std::string_view value) { out << word << ' ' << value << '\n'; }

/// A setting with two values, as a command.
void choose_setting(CommandContext& context, Arguments arguments, std::ostream& out, bool StopSettings::*field,
                    std::string_view word, std::string_view no = "off", std::string_view yes = "on") {
  StopSettings settings = context.debugger.stop_settings();
  const std::string usage = std::string(word) + " [" + std::string(yes) + "|" + std::string(no) + "]";
  if (const auto value = choose(arguments, usage, no, yes)) {
    settings.*field = *value;
    context.debugger.set_stop_settings(settings);
  }
  say(out, word, settings.*field ? yes : no);
}

struct Mode {
  std::string_view letter;
  unsigned privilege;
};
constexpr std::array kModes = {Mode{"m", 3}, Mode{"s", 1}, Mode{"u", 0}};

/// CSRs that show the same bits: who writes one of them writes all.
constexpr std::array<std::array<std::string_view, 3>, 4> kViews = {{
    {"mstatus", "sstatus", ""}, {"mie", "sie", ""}, {"mip", "sip", ""}, {"fcsr", "fflags", "frm"},
}};

std::vector<std::string_view> views_of(std::string_view name) {
  for (const auto& views : kViews) {
    if (std::find(views.begin(), views.end(), name) == views.end()) continue;
    std::vector<std::string_view> result(views.begin(), views.end());
    std::erase(result, "");
    return result;
  }
  return {name};
}

std::optional<u16> csr_number(std::string_view name) {
  const auto id = find_register(name);
  if (!id || static_cast<u16>(*id) < kFirstCsr) return std::nullopt;
  return static_cast<u16>(static_cast<u16>(*id) - kFirstCsr);
}

}  // namespace

void physical(CommandContext& context, Arguments arguments, std::ostream& out) {
  if (const auto on = choose(arguments, "phys [on|off]", "off", "on")) {
    context.space = *on ? AddressSpace::kPhysical : AddressSpace::kVirtual;
  }
  out << "phys " << (context.space == AddressSpace::kPhysical ? "on" : "off") << '\n';
}

void step_irq(CommandContext& context, Arguments arguments, std::ostream& out) {
  if (const auto enter = choose(arguments, "step-irq [enter|skip]", "skip", "enter")) {
    context.debugger.set_step_irq(*enter ? StepIrq::kEnter : StepIrq::kSkip);
  }
  out << "step-irq " << (context.debugger.step_irq() == StepIrq::kEnter ? "enter" : "skip") << '\n';
}

void edge(CommandContext& context, Arguments arguments, std::ostream& out) {
  if (const auto go = choose(arguments, "edge [stop|go]", "stop", "go")) {
    context.debugger.set_edge(*go ? Edge::kGo : Edge::kStop);
  }
  out << "edge " << (context.debugger.edge() == Edge::kGo ? "go" : "stop") << '\n';
}

void watch_dma(CommandContext& context, Arguments arguments, std::ostream& out) {
  choose_setting(context, arguments, out, &StopSettings::watch_dma, "watch-dma");
}

void watch_unchanged(CommandContext& context, Arguments arguments, std::ostream& out) {
  choose_setting(context, arguments, out, &StopSettings::watch_unchanged, "watch-unchanged");
}

void break_space(CommandContext& context, Arguments arguments, std::ostream& out) {
  choose_setting(context, arguments, out, &StopSettings::break_space_current, "break-space", "any", "current");
}

void break_check(CommandContext& context, Arguments arguments, std::ostream& out) {
  choose_setting(context, arguments, out, &StopSettings::break_check, "break-check");
}

void mmio_write(CommandContext& context, Arguments arguments, std::ostream& out) {
  choose_setting(context, arguments, out, &StopSettings::mmio_write, "mmio-write");
}

void replay_output(CommandContext& context, Arguments arguments, std::ostream& out) {
  choose_setting(context, arguments, out, &StopSettings::replay_output, "replay-output");
}

void ebreak(CommandContext& context, Arguments arguments, std::ostream& out) {
  constexpr std::string_view kUsage = "ebreak [stop|guest] [m|s|u]";
  expect_arguments(arguments, 0, 2, kUsage);
  StopSettings settings = context.debugger.stop_settings();
  if (!arguments.empty()) {
    const bool stop = *choose(arguments.first(1), kUsage, "guest", "stop");
    const std::string_view wanted = arguments.size() == 2 ? arguments[1] : "";
    bool known = wanted.empty();
    for (const Mode& mode : kModes) {
      if (!wanted.empty() && wanted != mode.letter) continue;
      known = true;
      const u8 bit = static_cast<u8>(1u << mode.privilege);
      settings.ebreak_privileges = static_cast<u8>(stop ? settings.ebreak_privileges | bit
                                                        : settings.ebreak_privileges & ~bit);
    }
    if (!known) throw Error(Exit::kUsage, "usage: " + std::string(kUsage));
    context.debugger.set_stop_settings(settings);
  }
  out << "ebreak";
  for (const Mode& mode : kModes) {
    const bool stops = (settings.ebreak_privileges >> mode.privilege & 1) != 0;
    out << (mode.privilege == 3 ? " " : ", ") << (stops ? "stop " : "guest ") << mode.letter;
  }
  out << '\n';
}

void watch_csr(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 1, "watch-csr [NAME|off]");
  StopSettings settings = context.debugger.stop_settings();
  if (!arguments.empty()) {
    std::vector<u16>& numbers = settings.csr_writes;
    if (arguments[0] == "off") {
      numbers.clear();
    } else {
      if (!csr_number(arguments[0])) throw Error(Exit::kUsage, "there is no CSR '" + std::string(arguments[0]) + "'");
      for (const std::string_view name : views_of(arguments[0])) numbers.push_back(*csr_number(name));
      std::sort(numbers.begin(), numbers.end());
      numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    }
    context.debugger.set_stop_settings(settings);
  }
  out << "watch-csr";
  if (settings.csr_writes.empty()) out << " off";
  for (const u16 number : settings.csr_writes) out << ' ' << csr_name(number);
  out << '\n';
}

}  // namespace command_rows
}  // namespace retrov
