// BYOL.

#include "trainers/base/leave.h"
#include "trainers/trainer_main.h"

int main(int argc, char** argv) {
  gsg::Leave(gsg::TrainerMain("byol", argc, argv));
}
