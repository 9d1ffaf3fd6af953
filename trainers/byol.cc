// BYOL.

#include "trainers/trainer_main.h"

int main(int argc, char** argv) { return gsg::TrainerMain("byol", argc, argv); }
