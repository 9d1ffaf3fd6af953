// BYOL with guided stop-gradient.

#include "trainers/base/leave.h"
#include "trainers/trainer_main.h"

int main(int argc, char** argv) {
  gsg::Leave(gsg::TrainerMain("byol_gsg", argc, argv));
}
