// SimSiam with guided stop-gradient.

#include "trainers/methods/simsiam.h"
#include "trainers/trainer_main.h"

int main(int argc, char** argv) {
  return gsg::TrainerMain("simsiam_gsg", "fashion_mnist", gsg::MakeSimSiam,
                          argc, argv);
}
