#include "cli/app.hpp"

int main(int argc, char** argv) { return weighbridge::cli::run(argc, argv); }
