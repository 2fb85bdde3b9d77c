// Covers gdbstub/packets_memory.

#include "gdbstub/packets.hpp"
#include "tests/catch.hpp"
#include "tests/support/stub_fixture.hpp"

using namespace retrov;

TEST_CASE("packets_memory: m and x give the readable beginning, or an error", "[packets_memory]") {
  StubFixture f;
  f.debugger.memory[0] = 0x12;
  f.debugger.memory[1] = '#';
  CHECK(f.ask("m80000000,2") == "1223");
  CHECK(f.ask("x80000000,2") == std::string("b\x12}\x03", 4));
  CHECK(f.ask("m80017ffe,10") == "0000");
  CHECK(f.ask("x80017fff,10") == std::string("b\0", 2));
  CHECK(f.ask("m80018000,4") == "E01");
  CHECK(f.ask("x0,4") == "E01");
  CHECK(f.ask("x80000000,0") == "b");
  CHECK(f.ask("m80000000") == "E01");
  CHECK(f.ask("m,") == "E01");
  f.ask("qSupported:error-message+");
  CHECK(f.ask("m0,4") == "E.nothing can be read at 0x0");
}

TEST_CASE("packets_memory: memory ends at 2^64 and answers at PacketSize", "[packets_memory]") {
  StubFixture f;
  CHECK(f.ask("mfffffffffffffffe,10") == "0000");
  CHECK(f.ask("mffffffffffffffff,ffffffffffffffff") == "00");
  CHECK(f.ask("m80000000,ffffffffffffffff").size() <= kPacketSize);
  CHECK(f.ask("Xffffffffffffffff,2:ab").front() == 'E');
  std::fill(f.debugger.memory.begin(), f.debugger.memory.end(), u8{'}'});
  CHECK(f.ask("x80000000,ffffffffffffffff").size() <= kPacketSize);
}

TEST_CASE("packets_memory: M and X write all or nothing", "[packets_memory]") {
  StubFixture f;
  CHECK(f.ask("M80000000,2:abcd") == "OK");
  CHECK(f.debugger.memory[1] == 0xcd);
  CHECK(f.ask(std::string_view("X80000004,3:\x00#}", 15)) == "OK");
  CHECK(f.debugger.memory[6] == '}');
  CHECK(f.ask("X80000000,0:") == "OK");
  CHECK(f.ask("M80017fff,2:abcd").front() == 'E');
  CHECK(f.debugger.memory[0xffff] == 0);
  CHECK(f.ask("M80000000,3:abcd").front() == 'E');
  CHECK(f.ask("M80000000,1:abcd").front() == 'E');
  CHECK(f.ask("M80000000,1:a").front() == 'E');
  CHECK(f.ask("X80000000").front() == 'E');
}

TEST_CASE("packets_memory: physical mode is switched by the packet and by monitor", "[packets_memory]") {
  StubFixture f;
  f.debugger.memory[0] = 0x77;
  CHECK(f.ask("qqemu.PhyMemMode") == "0");
  CHECK(f.ask("m10000,1") == "E01");
  CHECK(f.ask("Qqemu.PhyMemMode:1") == "OK");
  CHECK(f.ask("qqemu.PhyMemMode") == "1");
  CHECK(f.ask("m10000,1") == "77");
  CHECK(f.ask("Qqemu.PhyMemMode:0") == "OK");
  f.ask("qRcmd," + hex_bytes("phys on"));
  CHECK(f.ask("m10000,1") == "77");
  CHECK(f.ask("Z2,10000,8") == "OK");
  f.ask("c");
  CHECK(f.debugger.stops.watches.at(0).physical);
  CHECK(f.ask("Qqemu.PhyMemMode:x").front() == 'E');
  CHECK(f.ask("qqemu.Supported") == "PhyMemMode");
}

TEST_CASE("packets_memory: qSearch finds a pattern, also across its own pieces", "[packets_memory]") {
  StubFixture f;
  f.debugger.memory.assign(kFakeBytes, 0);
  f.debugger.memory[0xfffe] = 'a';
  f.debugger.memory[0xffff] = 'b';
  CHECK(f.ask("qSearch:memory:80000000;10000;ab") == "1,8000fffe");
  CHECK(f.ask("qSearch:memory:80000000;ffff;ab") == "0");
  CHECK(f.ask("qSearch:memory:80000000;10000;ba") == "0");
  CHECK(f.ask("qSearch:memory:80000000;20000;ab") == "1,8000fffe");
  CHECK(f.ask("qSearch:memory:80000000;20000;ba") == "E01");
  CHECK(f.ask("qSearch:memory:80000000;10;") == "E01");
  CHECK(f.ask("qSearch:memory:80000000;;x") == "E01");
  CHECK(f.ask("qSearch:memory:fffffffffffffff0;ffffffffffffffff;x") == "0");
}

TEST_CASE("packets_memory: qSearch finds what begins or ends in memory that is zeros", "[packets_memory]") {
  StubFixture f;
  f.debugger.memory.assign(kFakeBytes, 0);
  const std::string zero(1, '\0');
  CHECK(f.ask("qSearch:memory:80000000;11000;" + zero + zero) == "1,80000000");
  CHECK(f.ask("qSearch:memory:80000000;11000;" + zero + "a") == "0");
  // Behind the first piece, and on both sides of where it ends.
  f.debugger.memory[0x10001] = 'a';
  CHECK(f.ask("qSearch:memory:80000000;11000;a") == "1,80010001");
  CHECK(f.ask("qSearch:memory:80000000;11000;" + zero + zero + zero + "a") == "1,8000fffe");
  CHECK(f.ask("qSearch:memory:80000000;11000;a" + zero) == "1,80010001");
  f.debugger.memory[0x10001] = 0;
  f.debugger.memory[0xffff] = 'b';
  CHECK(f.ask("qSearch:memory:80000000;11000;b" + zero + zero) == "1,8000ffff");
}

TEST_CASE("packets_memory: qCRC is the checksum of compare-sections", "[packets_memory]") {
  StubFixture f;
  const std::string text = "123456789";
  std::copy(text.begin(), text.end(), f.debugger.memory.begin());
  // The check value of CRC-32/MPEG-2, which has the same parameters.
  CHECK(f.ask("qCRC:80000000,9") == "C376e6e7");
  CHECK(f.ask("qCRC:80000000,0") == "Cffffffff");
  CHECK(f.ask("qCRC:80000000,18001") == "E01");
  CHECK(f.ask("qCRC:0") == "E01");
}
