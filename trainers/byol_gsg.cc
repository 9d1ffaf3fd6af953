// BYOL with guided stop-gradient.

#include "trainers/trainer_main.h"

int main(int argc, char** argv) {
  return gsg::TrainerMain("byol_gsg", argc, argv);
}
