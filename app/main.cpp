/// The `forkproof` command.
#include "app/app.hpp"

int main(int argc, char** argv) { return forkproof::app::run(argc, argv); }
