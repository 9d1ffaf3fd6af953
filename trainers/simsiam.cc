// SimSiam.

#include "trainers/trainer_main.h"

int main(int argc, char** argv) {
  return gsg::TrainerMain("simsiam", argc, argv);
}
