// SimSiam with guided stop-gradient.

#include "trainers/base/leave.h"
#include "trainers/trainer_main.h"

int main(int argc, char** argv) {
  gsg::Leave(gsg::TrainerMain("simsiam_gsg", argc, argv));
}
