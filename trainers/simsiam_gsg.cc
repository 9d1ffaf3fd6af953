// SimSiam with guided stop-gradient.

#include "trainers/trainer_main.h"

int main(int argc, char** argv) {
  return gsg::TrainerMain("simsiam_gsg", argc, argv);
}
