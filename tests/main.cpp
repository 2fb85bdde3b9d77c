// Runs every test that is linked with it: all of them in the suite, one unit's in build/test-<unit>.
#define CATCH_CONFIG_RUNNER
#include "tests/catch.hpp"

int main(int argc, char** argv) { return Catch::Session().run(argc, argv); }
